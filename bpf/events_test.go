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
