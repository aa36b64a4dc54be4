package main

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestNestEndsInnerFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var order []string
	until := func(name string) func(context.Context) error {
		return func(ctx context.Context) error {
			if name == "inner" {
				cancel()
			}
			<-ctx.Done()
			order = append(order, name)
			return nil
		}
	}
	if err := nest(ctx, until("outer"), until("inner")); err != nil || !slices.Equal(order, []string{"inner", "outer"}) {
		t.Errorf("ended in the order %q, %v", order, err)
	}
}

func TestNestEndsBoth(t *testing.T) {
	outerErr, innerErr := errors.New("outer"), errors.New("inner")
	wait := func(err error) func(context.Context) error {
		return func(ctx context.Context) error { <-ctx.Done(); return err }
	}
	fail := func(err error) func(context.Context) error {
		return func(context.Context) error { return err }
	}
	for _, tc := range []struct {
		outer, inner func(context.Context) error
		want         error
	}{
		{fail(outerErr), wait(nil), outerErr},
		{fail(outerErr), wait(innerErr), outerErr},
		{wait(nil), fail(innerErr), innerErr},
		{wait(outerErr), fail(innerErr), outerErr},
	} {
		if got := nest(t.Context(), tc.outer, tc.inner); !errors.Is(got, tc.want) {
			t.Errorf("got %v, want %v", got, tc.want)
		}
	}
}
