package netconf

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"cassini/model"
)

// table is what one namespace's messages tell. It is not safe for concurrent use.
type table struct {
	netns    string
	links    map[int]*link
	addrs    map[int]map[netip.Prefix]model.IPConfig
	routes   routes
	settings map[int]settings
	dirty    map[int]struct{}        // links that messages were about since moved
	told     map[int]model.Interface // what was last told
}

func newTable(netns string) *table {
	return &table{
		netns:    netns,
		links:    make(map[int]*link),
		addrs:    make(map[int]map[netip.Prefix]model.IPConfig),
		routes:   newRoutes(netns),
		settings: make(map[int]settings),
		dirty:    make(map[int]struct{}),
		told:     make(map[int]model.Interface),
	}
}

// forget empties the table for a new reading; what was told is kept, to tell what
// has changed since.
func (t *table) forget() {
	clear(t.links)
	clear(t.addrs)
	t.routes.forget()
	t.doubt()
}

// forgetRoutes empties them for a new reading of routes alone.
func (t *table) forgetRoutes() {
	t.routes.forget()
	t.doubt() // their default gateways
}

// doubt makes moved look at every link.
func (t *table) doubt() {
	for index := range t.told {
		t.dirty[index] = struct{}{}
	}
}

// apply takes a message. Messages may repeat what is known.
func (t *table) apply(m message) {
	t.touch(m)
	switch {
	case m.link != nil && m.gone:
		delete(t.links, m.link.Index)
		delete(t.addrs, m.link.Index)
		delete(t.settings, m.link.Index)
		t.routes.down(m.link.Index)
	case m.link != nil:
		before := t.links[m.link.Index]
		if before != nil && before.Up && !m.link.Up {
			t.routes.down(m.link.Index)
		}
		if before != nil && !before.Up && m.link.Up {
			t.routes.stale = true // what was dead may live again
		}
		t.links[m.link.Index] = m.link
		t.routes.dirty = true // the link may be called otherwise
	case m.route != nil:
		t.routes.apply(m.route, m.gone)
	case m.rule != nil:
		t.routes.rule(*m.rule, m.gone)
	case m.addr != nil && m.gone:
		delete(t.addrs[m.addr.index], m.addr.prefix)
		t.routes.stale = true // those that name it as their source
	case m.addr != nil:
		if t.addrs[m.addr.index] == nil {
			t.addrs[m.addr.index] = make(map[netip.Prefix]model.IPConfig)
		}
		t.addrs[m.addr.index][m.addr.prefix] = m.addr.config
	}
}

// meet is another machine as others know it; false where no other machines are, as on
// the loopback.
func (t *table) meet(s seen) (model.Seen, bool) {
	l := t.links[s.index]
	if l == nil || !l.ether {
		return model.Seen{}, false
	}
	return model.Seen{Interface: l.Name, Netns: t.netns, Addr: s.addr, MAC: s.mac, Router: s.router, Unconfirmed: s.unconfirmed, By: model.SeenByKernel}, true
}

// forwards is an entry of a forwarding table as others know it; false where the bridge or
// the port is not known.
func (t *table) forwards(l learned) (model.Forwarding, bool) {
	f := model.Forwarding{Bridge: t.name(l.bridge), Netns: t.netns, Port: t.name(l.port), MAC: l.mac, VLAN: int(l.vlan)}
	return f, f.Bridge != "" && f.Port != ""
}

func (t *table) touch(m message) {
	if m.link != nil {
		t.dirty[m.link.Index] = struct{}{}
	}
	if m.addr != nil {
		t.dirty[m.addr.index] = struct{}{}
	}
	if m.route != nil && m.route.isDefault() {
		for _, h := range m.route.hops {
			t.dirty[h.index] = struct{}{}
		}
	}
}

// moved are the interfaces that differ from what was last told: those that are
// there, and under State those that have gone or are called something else now.
func (t *table) moved(now time.Time) (list []model.Interface) {
	for _, index := range slices.Sorted(maps.Keys(t.dirty)) {
		last, known := t.told[index]
		l := t.links[index]
		if known && (l == nil || l.Name != last.Name) {
			list = append(list, gone(last, now))
			delete(t.told, index)
		}
		if l == nil {
			continue
		}
		if i := t.describe(l); !reflect.DeepEqual(t.told[index], i) {
			t.told[index] = i
			list = append(list, i)
		}
	}
	clear(t.dirty)
	return list
}

func gone(i model.Interface, now time.Time) model.Interface {
	i.State, i.Ended = model.InterfaceGone, now.UTC()
	i.Carrier, i.OperState, i.Addresses, i.DefaultGateways = 0, "notpresent", nil, nil
	return i
}

func (t *table) describe(l *link) model.Interface {
	i := l.Interface
	i.Netns, i.State = t.netns, model.InterfacePresent
	i.Master, i.Parent = t.name(l.master), t.name(l.parent)
	if l.Bond != nil {
		bond := *l.Bond
		bond.Active = t.name(l.active)
		i.Bond = &bond
	}
	t.settings[i.Index].describe(&i)
	for prefix, config := range t.addrs[i.Index] {
		if i.Addresses == nil {
			i.Addresses = make(map[string]model.IPConfig)
		}
		i.Addresses[prefix.String()] = config
	}
	i.DefaultGateways = t.routes.gateways(i.Index)
	slices.SortFunc(i.DefaultGateways, netip.Addr.Compare)
	i.DefaultGateways = slices.Compact(i.DefaultGateways)
	return i
}

func (t *table) name(index int) string {
	if l := t.links[index]; l != nil {
		return l.Name
	}
	return ""
}
