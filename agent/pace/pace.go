// Package pace says how often something that costs may be done at most, however often
// somebody asks.
package pace

import (
	"time"

	"cassini/bpf"
)

// share is how much longer than a walk over all open files the pause behind it lasts:
// however often somebody asks, walking takes a fiftieth of one core at most, but for walks
// of more than a tenth of a second: the pause is no longer than longestPause.
const (
	share        = 49
	longestPause = 5 * time.Second
)

// Walks says when all open files may be looked at again, and counts. The zero value is
// ready; it is not safe for concurrent use.
type Walks struct {
	Walks, Spared uint64        // made; left out because one had just been made
	Took          time.Duration // all of them
	Last          bpf.Clock     // when the latest began
	After         uint64        // when another may begin, CLOCK_MONOTONIC nanoseconds
}

// Due reports whether another walk may begin. now is CLOCK_MONOTONIC nanoseconds.
func (w *Walks) Due(now uint64) bool { return now >= w.After }

// Done counts a walk.
func (w *Walks) Done(begun, ended bpf.Clock) {
	w.Walks++
	w.Took += time.Duration(ended.MonoNs - begun.MonoNs)
	w.After = ended.MonoNs + min(share*(ended.MonoNs-begun.MonoNs), uint64(longestPause))
	w.Last = begun
}
