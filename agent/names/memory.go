package names

import (
	"net/netip"
	"slices"
	"time"

	"cassini/agent/names/answer"
	"cassini/model"
)

// Limits of what is remembered.
const (
	// MaxHeard is how many addresses' names are remembered in case somebody dials them.
	MaxHeard = 8192
	// MaxDialled is how many addresses that programs here are clients of are remembered.
	MaxDialled = 8192
	// MaxNames is how many names of one address are.
	MaxNames = 4
)

// stale is how long the newest name of an address is not heard before another that is
// known takes its place: two names of one address in use take no turns.
const stale = time.Hour

// at is an address in a network namespace.
type at struct {
	netns string
	addr  netip.Addr
}

// known are the names of an address; last is when each was heard.
type known struct {
	names []model.AskedName
	last  []time.Time
}

// memory is what is remembered of answers and of what is dialled. It is not safe for
// concurrent use.
type memory struct {
	heard     *lru[at, known]
	dialled   *lru[at, bool] // whether the manager was told of names
	forgotten map[string]uint64
	named     int
	// tell takes an address whose names have changed; without names it is forgotten.
	tell func(model.Asked, time.Time)
}

func newMemory(tell func(model.Asked, time.Time)) *memory {
	return &memory{heard: newLRU[at, known](MaxHeard), dialled: newLRU[at, bool](MaxDialled), forgotten: make(map[string]uint64), tell: tell}
}

// hear takes an answer that server gave in a namespace.
func (m *memory) hear(netns, server string, a answer.Answer, now time.Time) {
	name := model.AskedName{Name: a.Name, TTL: a.TTL, Server: server, First: now.UTC()}
	if a.Canonical != a.Name {
		name.Canonical = a.Canonical
	}
	for _, addr := range a.Addrs {
		place := at{netns, addr}
		k, _ := m.heard.get(place)
		k, changed := k.with(name, now)
		m.keep(place, k)
		if changed {
			m.say(place, now)
		}
	}
}

func (m *memory) keep(place at, k known) {
	if _, _, forgot := m.heard.put(place, k); forgot {
		m.forgotten["heard"]++
	}
}

// with adds a name. It reports whether there is something to tell.
func (k known) with(name model.AskedName, now time.Time) (known, bool) {
	same := func(n model.AskedName) bool { return n.Name == name.Name }
	i := slices.IndexFunc(k.names, same)
	if i >= 0 {
		k.last[i] = now
		lives := max(stale, time.Duration(k.names[0].TTL)*time.Second)
		if i == 0 || now.Sub(k.last[0]) < lives {
			return k, false
		}
	}
	// What was handed out is never changed.
	names, last := []model.AskedName{name}, []time.Time{now}
	for j, n := range k.names {
		if j != i {
			names, last = append(names, n), append(last, k.last[j])
		}
	}
	if i >= 0 {
		names[0].First = k.names[i].First
	}
	if len(names) > MaxNames {
		names, last = names[:MaxNames], last[:MaxNames]
	}
	return known{names, last}, true
}

// dial takes that a program is a client of an address.
func (m *memory) dial(place at, now time.Time) {
	if _, ok := m.dialled.get(place); ok {
		return
	}
	m.remember(place, false, now)
	m.say(place, now)
}

// remember keeps that an address is dialled; another may have to make room.
func (m *memory) remember(place at, told bool, now time.Time) {
	if before, ok := m.dialled.get(place); ok && before {
		m.named--
	}
	if told {
		m.named++
	}
	gone, wasTold, forgot := m.dialled.put(place, told)
	if !forgot {
		return
	}
	m.forgotten["dialled"]++
	if wasTold {
		m.named--
		m.tell(model.Asked{Addr: gone.addr, Netns: gone.netns}, now)
	}
}

// say tells the names of an address, if it is dialled and has any.
func (m *memory) say(place at, now time.Time) {
	k, heard := m.heard.get(place)
	if _, dialled := m.dialled.get(place); !dialled || !heard {
		return
	}
	m.remember(place, true, now)
	m.tell(model.Asked{Addr: place.addr, Netns: place.netns, Names: k.names}, now)
}

// adopt takes what the manager remembers of an address.
func (m *memory) adopt(a model.Asked, now time.Time) {
	place := at{a.Netns, a.Addr}
	if k, ok := m.heard.get(place); !ok || len(k.names) == 0 {
		names := a.Names[:min(len(a.Names), MaxNames)]
		m.keep(place, known{names, slices.Repeat([]time.Time{now}, len(names))})
	}
	m.remember(place, true, now)
}

// all calls fn for each address that the manager has been told of, or should be.
func (m *memory) all(fn func(model.Asked)) {
	for e := m.dialled.order.Front(); e != nil; e = e.Next() {
		p := e.Value.(*pair[at, bool])
		if k, ok := m.heard.byKey[p.key]; ok && p.value {
			fn(model.Asked{Addr: p.key.addr, Netns: p.key.netns, Names: k.Value.(*pair[at, known]).value.names})
		}
	}
}
