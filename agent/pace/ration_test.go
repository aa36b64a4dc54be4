package pace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestRation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		r, began := Ration{Most: 10}, time.Now()
		take := func(n int, ok bool, after time.Duration) {
			t.Helper()
			if got := r.Take(ctx, n); got != ok || time.Since(began) != after {
				t.Errorf("took %d: %v after %v, want %v after %v", n, got, time.Since(began), ok, after)
			}
		}
		take(4, true, 0)
		take(5, true, 0)
		take(1, true, time.Second) // all of it
		take(9, true, time.Second)
		time.Sleep(5 * time.Second)
		take(1, true, 6*time.Second) // the second was over long ago
		take(25, true, 7*time.Second)
		stop()
		take(1, true, 7*time.Second)
		take(9, false, 7*time.Second)
	})
}
