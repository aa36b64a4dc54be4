package enroll

import (
	"cmp"
	"slices"
	"time"
)

// maxWaiting bounds the hosts and tokens that a View names of each.
const maxWaiting = 1000

// States of an authority.
const (
	StateInUse    = "in use"
	StateNext     = "next"     // signs certificates of agents already
	StateRetiring = "retiring" // signs the manager's own certificate still
	StateOutside  = "outside"  // another's, from a file
)

// View is whom an authority trusts, for people.
type View struct {
	Authorities []RootView `json:"authorities"`
	// Rotation is null while none is under way.
	Rotation *RotationView `json:"rotation"`
}

// RootView is one authority.
type RootView struct {
	Hash    string    `json:"hash"` // SHA-256 of its certificate
	Subject string    `json:"subject"`
	State   string    `json:"state"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	// Certificates that it gave agents, and that count.
	Certificates int `json:"certificates"`
}

// RotationView is a rotation that is under way.
type RotationView struct {
	Began time.Time `json:"began"`
	Until time.Time `json:"until"` // then the old authority is retired, whoever still needs it
	Known int       `json:"known"` // hosts that know the next one
	// Waiting are hosts that do not know it yet, 1000 at most, and WaitingAll is how many.
	Waiting    []string `json:"waiting"`
	WaitingAll int      `json:"waiting_all"`
	// Tokens name the old one, 1000 at most: who has them knows the manager no more when
	// it is retired.
	Tokens []string `json:"tokens"`
}

// View is whom it trusts.
func (a *Authority) View(now time.Time) View {
	a.mu.RLock()
	defer a.mu.RUnlock()
	t := a.trust.Load()
	var v View
	for _, c := range t.own() {
		state := StateInUse
		if t.next != nil {
			state = StateRetiring
		}
		if c == t.next {
			state = StateNext
		}
		v.Authorities = append(v.Authorities, RootView{Hash: "sha256:" + pinOf(c.cert.Raw), Subject: c.cert.Subject.String(), State: state, Created: c.cert.NotBefore, Expires: c.cert.NotAfter, Certificates: a.given(c.rootID(), t.ca.rootID(), now)})
	}
	for _, c := range t.outside.clients {
		v.Authorities = append(v.Authorities, RootView{Hash: "sha256:" + pinOf(c.Raw), Subject: c.Subject.String(), State: StateOutside, Created: c.NotBefore, Expires: c.NotAfter})
	}
	if t.next != nil {
		v.Rotation = a.rotationView(t, now)
	}
	return v
}

// given counts the certificates that an authority gave. The lock is held.
func (a *Authority) given(rootID, first string, now time.Time) (n int) {
	for _, r := range a.hosts {
		if slices.ContainsFunc(r.Certificates, func(i Issued) bool { return now.Before(i.Expires) && cmp.Or(i.Root, first) == rootID }) {
			n++
		}
	}
	return n
}

func (a *Authority) rotationView(t *trust, now time.Time) *RotationView {
	waiting := a.waiting(t, now)
	v := &RotationView{Began: t.plan.Began, Until: t.plan.Until, WaitingAll: len(waiting), Waiting: append([]string{}, first(waiting, maxWaiting)...)}
	v.Tokens = append([]string{}, first(a.naming(t, now), maxWaiting)...)
	for _, r := range a.hosts {
		if r.Root == t.next.rootID() {
			v.Known++
		}
	}
	return v
}
