// Package links brings interfaces from who hears of them to who listens on them,
// without making the first wait.
package links

import (
	"net"
	"slices"
	"strings"
	"sync"

	"cassini/agent/netns"
	"cassini/model"
)

// Moved is an interface as it stands now, or that it went.
type Moved struct {
	NS netns.Namespace
	model.Interface
}

// Queue holds interfaces until they are taken, in order. Its methods are safe for
// concurrent use.
type Queue struct {
	ready chan struct{}

	mu   sync.Mutex
	list []Moved
}

// NewQueue makes an empty queue.
func NewQueue() *Queue { return &Queue{ready: make(chan struct{}, 1)} }

// Put adds an interface. It does not block.
func (q *Queue) Put(ns netns.Namespace, i model.Interface) {
	q.mu.Lock()
	q.list = append(q.list, Moved{ns, i})
	q.mu.Unlock()
	q.Wake()
}

// Wake makes Ready tell, also of an empty queue.
func (q *Queue) Wake() {
	select {
	case q.ready <- struct{}{}:
	default: // it tells already
	}
}

// Ready tells that there is something to take.
func (q *Queue) Ready() <-chan struct{} { return q.ready }

// Take takes all that there is.
func (q *Queue) Take() []Moved {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := q.list
	q.list = nil
	return list
}

// Latest is how an interface stands that was not taken yet.
func (q *Queue) Latest(netns, name string) (model.Interface, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range slices.Backward(q.list) {
		if l.Netns == netns && l.Name == name {
			return l.Interface, true
		}
	}
	return model.Interface{}, false
}

// Ethernet says whether an interface has an Ethernet address of its own.
func Ethernet(i model.Interface) bool {
	mac, err := net.ParseMAC(i.Address)
	return err == nil && len(mac) == 6 && strings.Trim(i.Address, "0:") != ""
}
