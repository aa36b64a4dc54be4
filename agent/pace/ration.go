package pace

import (
	"context"
	"time"
)

// Ration lets so much be done in a second on average: what wakes a reader as often as a
// network likes takes a bounded part of a core. It has one user.
type Ration struct {
	Most  int // in a second
	began time.Time
	taken int
}

// Take counts what was done and, if that much was done in less than a second, waits for its
// end. It is false when the context ended before.
func (r *Ration) Take(ctx context.Context, n int) bool {
	if r.began.IsZero() {
		r.began = time.Now()
	}
	if r.taken += n; r.taken < r.Most {
		return true
	}
	ok := Until(ctx, r.began.Add(time.Second))
	r.began, r.taken = time.Now(), 0
	return ok
}

// Until waits for a moment. It is false when the context ended before.
func Until(ctx context.Context, at time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Until(at)):
		return true
	}
}
