package taps

import (
	"time"

	"golang.org/x/time/rate"

	"cassini/model"
)

// A program that opens a socket each second, such as ping in a loop, must not make a
// document of each.
const (
	burst  = 8 // documents of one key that go at once ...
	refill = time.Minute
)

// throttle holds documents back that come too fast; the latest of each key goes when it may.
// It is not safe for concurrent use.
type throttle struct {
	keys map[string]*allowance
	held uint64
}

type allowance struct {
	*rate.Limiter
	held *model.Listener // waits
}

func newThrottle() *throttle { return &throttle{keys: make(map[string]*allowance)} }

// pass says whether a document may go now; else it is held.
func (t *throttle) pass(l model.Listener, now time.Time) bool {
	a := t.keys[l.Key()]
	if a == nil {
		a = &allowance{Limiter: rate.NewLimiter(rate.Every(refill), burst)}
		t.keys[l.Key()] = a
	}
	if !a.AllowN(now, 1) {
		t.held++
		a.held = &l
		return false
	}
	a.held = nil // it is older
	return true
}

// due takes what was held back and may go now, and forgets keys that nothing came of for
// long. wait is how long it is until more may go; 0: nothing is held.
func (t *throttle) due(now time.Time) (list []model.Listener, wait time.Duration) {
	for key, a := range t.keys {
		if a.held == nil {
			if a.TokensAt(now) >= burst {
				delete(t.keys, key)
			}
			continue
		}
		next := a.ReserveN(now, 1)
		if pause := next.DelayFrom(now); pause > 0 {
			next.CancelAt(now)
			if wait == 0 || pause < wait {
				wait = pause
			}
			continue
		}
		list = append(list, *a.held)
		a.held = nil
	}
	return list, wait
}
