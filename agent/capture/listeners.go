package capture

import (
	"net/netip"
	"time"

	"cassini/model"
)

// listeners is the table of what listens on this host. Several sockets on one
// address are one entry. It is not safe for concurrent use.
type listeners struct {
	byKey    map[string]*listening
	byCookie map[uint64]*listening
	bound    map[*listening]struct{} // those of byKey that are bound to an interface
}

type listening struct {
	model.Listener
	cookies map[uint64]struct{}
	began   uint64 // when the newest of them did, in ns of the monotonic clock; 0 where the agent is newer than all
	proven  bool   // that it is its process's
	// looks counts searches in vain for another process that holds it; the next is not
	// before lookNext.
	looks    int
	lookNext time.Time
	// toldBefore is AcceptedBefore as it was when the workers were last told.
	toldBefore uint64
}

// at finds the listeners that may have accepted a connection.
func (t *listeners) at(d *model.Dependency) (found []*listening) {
	for _, addr := range []netip.Addr{d.Server, netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		l := model.Listener{Proto: d.Proto, Addr: addr, Port: d.Port, NetnsName: d.NetnsName, Netns: d.Netns}
		if entry := t.byKey[l.Key()]; entry != nil {
			found = append(found, entry)
		}
	}
	for entry := range t.bound {
		if entry.Proto == d.Proto && entry.Port == d.Port && entry.Netns == d.Netns && (entry.Addr == d.Server || entry.Addr.IsUnspecified()) {
			found = append(found, entry)
		}
	}
	return found
}

func newListeners() *listeners {
	return &listeners{
		byKey: make(map[string]*listening), byCookie: make(map[uint64]*listening), bound: make(map[*listening]struct{}),
	}
}

func (t *listeners) known(cookie uint64) bool {
	_, ok := t.byCookie[cookie]
	return ok
}

// started adds a socket, which began at so many ns of the monotonic clock, or 0 where it is older than the
// agent, and returns the entry as it stands now, or false when nothing changed. Wall clocks do not say which
// of two is newer: each is read a little beside the other.
func (t *listeners) started(cookie, began uint64, l model.Listener) (model.Listener, bool) {
	if t.known(cookie) {
		return model.Listener{}, false
	}
	entry, ok := t.byKey[l.Key()]
	if !ok {
		l.State = model.StateListening
		entry = &listening{Listener: l, cookies: make(map[uint64]struct{})}
		t.byKey[l.Key()] = entry
		if l.On() != "" {
			t.bound[entry] = struct{}{}
		}
	} else if l.PID != entry.PID && began > entry.began {
		// Another process took the address over while the earlier one still held it
		// (SO_REUSEPORT, a reload): the newer one is the one to name.
		entry.Process, entry.proven = l.Process, false
	}
	entry.began = max(entry.began, began)
	entry.cookies[cookie] = struct{}{}
	entry.Sockets = len(entry.cookies)
	t.byCookie[cookie] = entry
	return entry.Listener, true
}

// ended removes a socket and returns the entry as it stands now, or false when
// the socket is not known.
func (t *listeners) ended(cookie uint64, at time.Time) (model.Listener, bool) {
	entry, ok := t.byCookie[cookie]
	if !ok {
		return model.Listener{}, false
	}
	delete(t.byCookie, cookie)
	delete(entry.cookies, cookie)
	entry.Sockets = len(entry.cookies)
	if entry.Sockets == 0 {
		delete(t.byKey, entry.Key())
		delete(t.bound, entry)
		return endListener(entry.Listener, at), true
	}
	return entry.Listener, true
}

// missing lists the cookies in the table that are not in the kernel's.
func (t *listeners) missing(kernel map[uint64]struct{}) []uint64 {
	var gone []uint64
	for cookie := range t.byCookie {
		if _, ok := kernel[cookie]; !ok {
			gone = append(gone, cookie)
		}
	}
	return gone
}

// adopt compares an entry with what the manager remembers from an earlier run of
// the agent. If it is the same listener, its start is taken from there. It
// returns the entry as it stands now, or false when nothing listens there.
func (t *listeners) adopt(earlier model.Listener) (model.Listener, bool) {
	entry, ok := t.byKey[earlier.Key()]
	if !ok {
		return model.Listener{}, false
	}
	if entry.SinceApprox && earlier.State == model.StateListening && earlier.PID == entry.PID && earlier.Exe == entry.Exe {
		entry.Since, entry.SinceApprox = earlier.Since, earlier.SinceApprox
	}
	return entry.Listener, true
}

func endListener(l model.Listener, at time.Time) model.Listener {
	at = at.UTC()
	l.State, l.Ended, l.Sockets = model.StateEnded, &at, 0
	return l
}
