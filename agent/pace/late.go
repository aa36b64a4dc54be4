package pace

import (
	"sync"
	"time"
)

// Late is a timer that is begun once at a time. The zero value is ready; it is safe for
// concurrent use.
type Late struct {
	mu      sync.Mutex
	timer   *time.Timer // nil when none is due
	stopped bool
}

// Begin runs fn after a pause, unless something is due already or it was stopped. fn may take
// the lock that callers of Begin hold.
func (l *Late) Begin(pause time.Duration, fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil || l.stopped {
		return
	}
	l.timer = time.AfterFunc(pause, func() {
		l.mu.Lock()
		l.timer = nil
		l.mu.Unlock()
		fn()
	})
}

// Stop ends it for good: what is due is not run, but for what has begun.
func (l *Late) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped = true; l.timer != nil {
		l.timer.Stop()
	}
}
