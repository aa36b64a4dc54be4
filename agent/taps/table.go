package taps

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// socketLimit bounds the table.
const socketLimit = 4096

// socket is one packet or raw socket, as one process holds it.
type socket struct {
	raw            bpf.TapSocket
	model.Listener        // what it alone would make of its entry
	began          uint64 // when it was told of as it was opened, CLOCK_MONOTONIC; 0: it was found
	// unbound says that it hears nothing yet and was opened a moment ago: most are bound
	// next, and are not shown before.
	unbound bool
	entry   *entry
}

// entry is what a document tells: the sockets of one program that hear one protocol in one
// network namespace.
type entry struct {
	model.Listener
	sockets map[uint64]*socket
}

// table is what is open. It is not safe for concurrent use.
type table struct {
	byCookie map[uint64]*socket
	byKey    map[string]*entry
	touched  map[*entry]struct{} // since changed
	full     uint64              // sockets that found no room
}

func newTable() *table {
	return &table{byCookie: make(map[uint64]*socket), byKey: make(map[string]*entry), touched: make(map[*entry]struct{})}
}

// protocol is how people call the kind of a socket, and what it hears.
func protocol(s *bpf.TapSocket) (proto, hears string) {
	if s.Family == bpf.FamilyPacket {
		return model.ProtoPacket, model.EtherTypeName(s.Number)
	}
	return model.ProtoRaw, model.IPProtocolName(s.Number)
}

// put adds a socket, or takes how it stands now, if there is room.
func (t *table) put(s *socket) {
	before := t.byCookie[s.raw.Cookie]
	if before == nil && len(t.byCookie) >= socketLimit {
		t.full++
		return
	}
	if before != nil && before.entry != nil {
		t.leave(before)
	}
	t.byCookie[s.raw.Cookie] = s
	if s.unbound {
		return
	}
	e := t.byKey[s.Key()]
	if e == nil {
		e = &entry{sockets: make(map[uint64]*socket)}
		t.byKey[s.Key()] = e
	}
	s.entry, e.sockets[s.raw.Cookie] = e, s
	t.touched[e] = struct{}{}
}

// remove takes a socket away.
func (t *table) remove(s *socket) {
	delete(t.byCookie, s.raw.Cookie)
	if s.entry != nil {
		t.leave(s)
	}
}

func (t *table) leave(s *socket) {
	delete(s.entry.sockets, s.raw.Cookie)
	t.touched[s.entry] = struct{}{}
}

// changed tells the entries that are different since it was last asked; one without
// sockets has ended.
func (t *table) changed() (list []*entry) {
	for e := range t.touched {
		was := e.Sockets
		if len(e.sockets) == 0 {
			delete(t.byKey, e.Key())
			if e.Sockets = 0; was > 0 {
				list = append(list, e)
			}
		} else if e.derive() {
			list = append(list, e)
		}
	}
	clear(t.touched)
	return list
}

// derive sums up the sockets. It reports whether anything is different now.
func (e *entry) derive() bool {
	list := slices.SortedFunc(maps.Values(e.sockets), func(a, b *socket) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.PID, b.PID), cmp.Compare(a.raw.Cookie, b.raw.Cookie))
	})
	now := list[0].Listener
	now.State, now.Sockets = model.StateListening, len(list)
	now.Interfaces, now.Bound, now.Promiscuous = nil, nil, false
	var everywhere, unbound bool
	for _, s := range list {
		everywhere = everywhere || len(s.Interfaces) == 0
		unbound = unbound || len(s.Bound) == 0
		now.Interfaces = append(now.Interfaces, s.Interfaces...)
		now.Bound = append(now.Bound, s.Bound...)
		now.Promiscuous = now.Promiscuous || s.Promiscuous
	}
	now.Interfaces = few(now.Interfaces, everywhere, strings.Compare)
	now.Bound = few(now.Bound, unbound, netip.Addr.Compare)
	was := e.Listener
	e.Listener = now
	return was.Sockets != now.Sockets || was.PID != now.PID || was.Exe != now.Exe || was.Promiscuous != now.Promiscuous ||
		!was.Since.Equal(now.Since) || !slices.Equal(was.Interfaces, now.Interfaces) || !slices.Equal(was.Bound, now.Bound)
}

// few sorts a list and cuts it to what a document may have of it; nil where all is meant.
func few[T comparable](list []T, all bool, compare func(a, b T) int) []T {
	if all {
		return nil
	}
	slices.SortFunc(list, compare)
	list = slices.Compact(list)
	return list[:min(len(list), model.MaxTapInterfaces)]
}

func endListener(l model.Listener, at time.Time) model.Listener {
	at = at.UTC()
	l.State, l.Ended, l.Sockets = model.StateEnded, &at, 0
	return l
}
