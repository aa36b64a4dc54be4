// Package trim gives memory back that a burst of work has left behind. Go's collector keeps
// what it may need again, and takes minutes to let go of it; pages of the program that only a
// start needs stay mapped for as long as the process lives.
package trim

import (
	"runtime/debug"
	"sync"
	"time"
)

// After so many documents memory is given back, once there were few for so long, or after
// patience where there never are few: to collect costs a hundredth of what it took to make
// and to deliver them.
const (
	enough   = 10_000
	few      = 100
	quiet    = 5 * time.Second
	patience = 12 // times quiet
)

// Now collects, gives what is free back to the system, and lets go of the program's pages.
func Now() {
	debug.FreeOSMemory()
	_ = forgetProgram() // it stays as large as it was
}

// Trimmer calls functions when much begins to be done, and when little is done any more. It is
// safe for concurrent use.
type Trimmer struct {
	busy, rest func()

	mu     sync.Mutex
	done   uint64 // since memory was given back
	lately uint64 // of that since the timer was set
	looks  int    // since there was enough
	timer  *time.Timer
	ended  bool
}

// New makes a Trimmer that calls busy once enough was done, and rest when that is over.
func New(busy, rest func()) *Trimmer { return &Trimmer{busy: busy, rest: rest} }

// Done tells that so many documents have been delivered.
func (t *Trimmer) Done(documents uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += documents
	t.lately += documents
	if t.done >= enough && t.timer == nil && !t.ended {
		t.busy()
		t.wait()
	}
}

// wait looks again after a while. The lock is held.
func (t *Trimmer) wait() {
	t.lately = 0
	t.timer = time.AfterFunc(quiet, t.look)
}

func (t *Trimmer) look() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.looks++
	switch {
	case t.ended:
	case t.lately > few && t.looks < patience:
		t.wait()
	default:
		t.done, t.looks, t.timer = 0, 0, nil
		t.rest()
	}
}

// Stop ends it; neither function runs any more when it returns.
func (t *Trimmer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
