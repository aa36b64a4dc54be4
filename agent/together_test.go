package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestTogether: the first loop to end ends the others, what runs beside them ends nothing,
// and every error is told, the first one first.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, last := errors.New("first"), errors.New("last")
		fail := make(chan struct{})
		l := together(t.Context())
		l.run(
			func(ctx context.Context) error { <-ctx.Done(); return last },
			func(ctx context.Context) error { <-fail; return first },
		)
		l.beside(func(context.Context) {})
		synctest.Wait()
		if l.ctx.Err() != nil {
			t.Error("what ran beside ended the others")
		}
		close(fail)
		err := l.wait()
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok || !slices.Equal(joined.Unwrap(), []error{first, last}) {
			t.Errorf("told %v", err)
		}
	})
}

// TestTogetherUntilCancelled: loops end with the context, and that is no error.
func TestTogetherUntilCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := together(ctx)
	l.run(func(ctx context.Context) error { <-ctx.Done(); return nil })
	cancel()
	if err := l.wait(); err != nil {
		t.Errorf("told %v", err)
	}
}
