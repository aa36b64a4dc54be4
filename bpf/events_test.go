package bpf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
)

func TestEachEvent(t *testing.T) {
	broken := errors.New("broken")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx     context.Context
		read    []error // of events 0, 1, ...
		handle  error   // of event 2
		handled []int
		bad     int
		want    error
	}{
		"until it is closed":      {t.Context(), []error{nil, nil, os.ErrClosed}, nil, []int{0, 1}, 0, nil},
		"over what is bad":        {t.Context(), []error{nil, fmt.Errorf("%w: short", ErrBadEvent), nil, os.ErrClosed}, nil, []int{0, 2}, 1, nil},
		"until it cannot be read": {t.Context(), []error{nil, broken}, nil, []int{0}, 0, broken},
		"until it is refused":     {t.Context(), []error{nil, nil, nil, nil}, broken, []int{0, 1, 2}, 0, broken},
		"and not for an end":      {ended, []error{nil, nil, nil, os.ErrClosed}, broken, []int{0, 1, 2}, 0, nil},
	} {
		next, bad := -1, 0
		var handled []int
		err := EachEvent(c.ctx, func(e *int) error {
			next++
			*e = next
			return c.read[next]
		}, func() { bad++ }, func(e *int) error {
			handled = append(handled, *e)
			if *e == 2 {
				return c.handle
			}
			return nil
		})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || !slices.Equal(handled, c.handled) || bad != c.bad {
			t.Errorf("%s: handled %v, %d bad, %v", name, handled, bad, err)
		}
	}
}

// TestListen: the kernel side is closed once, after the last word where the context ended and
// without it where the events ended by themselves, and every error is told.
func TestListen(t *testing.T) {
	broken, mute, stuck := errors.New("broken"), errors.New("mute"), errors.New("stuck")
	for name, c := range map[string]struct {
		ended        bool // the context ends, else the events do
		events, last error
		order        []string
		want, not    []error
	}{
		"to the end":         {true, nil, nil, []string{"last", "done"}, []error{stuck}, nil},
		"to a last error":    {true, nil, mute, []string{"last", "done"}, []error{mute, stuck}, nil},
		"to an event's":      {false, broken, mute, []string{"done"}, []error{broken, stuck}, []error{mute}},
		"to the last event":  {false, nil, mute, []string{"done"}, []error{stuck}, []error{mute}},
		"to an error of end": {true, broken, nil, []string{"last", "done"}, []error{broken, stuck}, nil},
	} {
		ctx, end := context.WithCancel(t.Context())
		closed := make(chan struct{})
		var order []string
		err := Listen(ctx, func(context.Context) error {
			if c.ended {
				end()
				<-closed
			}
			return c.events
		}, func() error {
			order = append(order, "last")
			return c.last
		}, func() error {
			order = append(order, "done")
			close(closed)
			return stuck
		})
		end()
		if !slices.Equal(order, c.order) {
			t.Errorf("%s: %v, want %v", name, order, c.order)
		}
		for _, want := range c.want {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v in it", name, err, want)
			}
		}
		for _, not := range c.not {
			if errors.Is(err, not) {
				t.Errorf("%s: %v, without %v", name, err, not)
			}
		}
	}
}
