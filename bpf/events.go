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
