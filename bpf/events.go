package bpf

import (
	"context"
	"errors"
	"os"
)

// EachEvent hands on the events of a ring buffer, one after the other, until read says that it
// is closed, or something fails before the context ends. The event is good until handle
// returns; an event that cannot be decoded is left to bad.
func EachEvent[E any](ctx context.Context, read func(*E) error, bad func(), handle func(*E) error) error {
	var event E
	for {
		err := read(&event)
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case errors.Is(err, ErrBadEvent):
			bad()
			continue
		case err != nil:
			return err
		}
		if err := handle(&event); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// Listen runs events, which hands on events, until the context ends. Then last tells what it
// still has to while the kernel side is open, and done closes that, which ends events. Where
// events ends by itself, the kernel side is only closed.
func Listen(ctx context.Context, events func(context.Context) error, last, done func() error) error {
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- errors.Join(last(), done()) })
	err := events(ctx)
	if stop() { // ended by an error, not by the context
		return errors.Join(err, done())
	}
	return errors.Join(err, <-closed)
}
