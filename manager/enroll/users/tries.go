package users

import (
	"net/netip"
	"sync"
	"time"

	"cassini/transport/httpd"
)

// Bounds of what is tried. A hash of cost 10 takes some 50 ms of a CPU.
const (
	maxAtOnce  = 2
	maxWaiting = 64              // with those that are being tried
	maxWrong   = 10              // by one address at once
	perWrong   = 6 * time.Second // and then one in this time
	maxFrom    = 10_000          // addresses that are remembered
)

// Tries bounds how many passwords are tried. It is safe for concurrent use.
type Tries struct {
	slots chan struct{}

	mu      sync.Mutex
	waiting int
	debts   map[netip.Prefix]time.Time // when what an address tried wrongly is forgotten
}

// NewTries makes one that has seen nothing.
func NewTries() *Tries {
	return &Tries{slots: make(chan struct{}, maxAtOnce), debts: make(map[netip.Prefix]time.Time)}
}

// begin waits until a password may be tried that comes from an address; end is to be called
// then. Errors are ErrBusy.
func (t *Tries) begin(from string, now time.Time) (end func(wrong bool), err error) {
	at := httpd.Network(from)
	if !t.enter(at, now) {
		return nil, ErrBusy
	}
	t.slots <- struct{}{}
	return func(wrong bool) {
		<-t.slots
		t.mu.Lock()
		defer t.mu.Unlock()
		t.waiting--
		if wrong {
			t.owe(at, now)
		}
	}, nil
}

func (t *Tries) enter(at netip.Prefix, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting >= maxWaiting || t.debts[at].Sub(now) > (maxWrong-1)*perWrong {
		return false
	}
	t.waiting++
	return true
}

// owe notes a wrong password. The lock is held.
func (t *Tries) owe(at netip.Prefix, now time.Time) {
	if _, known := t.debts[at]; !known && len(t.debts) >= maxFrom {
		for old, until := range t.debts {
			if !until.After(now) {
				delete(t.debts, old)
			}
		}
		if len(t.debts) >= maxFrom {
			clear(t.debts) // somebody has ten thousand addresses: maxAtOnce is what holds
		}
	}
	from := now
	if until := t.debts[at]; until.After(now) {
		from = until
	}
	t.debts[at] = from.Add(perWrong)
}
