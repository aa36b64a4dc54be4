package netconf

import (
	"cmp"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// maxRoutes bounds the routes that are kept of a namespace, and its rules. The first to
// come are kept.
const maxRoutes = 1024

// kept is a route under its key.
type kept struct {
	proto, scope, kind byte
	source             netip.Addr
	hops               map[hop]struct{}
}

func (k kept) sorted() []hop {
	return slices.SortedFunc(maps.Keys(k.hops), func(a, b hop) int { return cmp.Or(a.via.Compare(b.via), cmp.Compare(a.index, b.index)) })
}

// routes are the routes and rules of one namespace. It is not safe for concurrent use.
type routes struct {
	netns string
	all   map[routeKey]kept
	rules map[string]model.Rule // by key
	// stale says that the kernel may have dropped routes without a word: it does when
	// a link goes down or an address goes (net/ipv4/fib_frontend.c, fib_disable_ip).
	stale  bool
	dirty  bool // something may differ from what was told
	unkept uint64

	told      map[string]model.Route // by key
	toldRules map[string]model.Rule
}

func newRoutes(netns string) routes {
	return routes{
		netns: netns, all: make(map[routeKey]kept), rules: make(map[string]model.Rule),
		told: make(map[string]model.Route), toldRules: make(map[string]model.Rule),
	}
}

// forget empties the routes for a new reading; what was told is kept.
func (r *routes) forget() {
	clear(r.all)
	clear(r.rules)
	r.stale, r.dirty = false, true
}

// apply takes a message, which may repeat what is known.
func (r *routes) apply(m *route, gone bool) {
	r.dirty = true
	before, known := r.all[m.routeKey]
	switch {
	case gone && !known:
	case gone:
		for _, h := range m.hops {
			delete(before.hops, h)
		}
		if len(before.hops) == 0 || len(m.hops) == 0 {
			delete(r.all, m.routeKey)
		}
	case !known && (len(r.all) >= maxRoutes || byDaemon(m.proto) && !m.isDefault()):
		r.unkept++
	default:
		now := kept{proto: m.proto, scope: m.scope, kind: m.kind, source: m.source, hops: before.hops}
		if !known || m.replaces {
			now.hops = make(map[hop]struct{})
		}
		for _, h := range m.hops {
			now.hops[h] = struct{}{}
		}
		r.all[m.routeKey] = now
	}
}

// down drops the ways by a link that is down or gone.
func (r *routes) down(index int) {
	r.stale, r.dirty = true, true
	for key, k := range r.all {
		had := len(k.hops)
		maps.DeleteFunc(k.hops, func(h hop, _ struct{}) bool { return h.index == index })
		if had > 0 && len(k.hops) == 0 {
			delete(r.all, key)
		}
	}
}

// rule takes a rule.
func (r *routes) rule(rule model.Rule, gone bool) {
	r.dirty = true
	rule.Netns = r.netns
	key := rule.Key()
	if gone {
		delete(r.rules, key)
		return
	}
	if _, known := r.rules[key]; !known && len(r.rules) >= maxRoutes {
		r.unkept++
		return
	}
	r.rules[key] = rule
}

// gateways are the ways out by a link.
func (r *routes) gateways(index int) (list []netip.Addr) {
	for key, k := range r.all {
		if key.dst.Bits() != 0 || key.table != unix.RT_TABLE_MAIN || k.kind != unix.RTN_UNICAST {
			continue
		}
		for h := range k.hops {
			if h.index == index && h.via.IsValid() {
				list = append(list, h.via)
			}
		}
	}
	return list
}

// change is a route or a rule as it stands now; body is nil when it has gone.
type change struct {
	pkg, key string
	body     any
}

// moved are the routes and rules that differ from what was last told. name tells how a
// link is called. The first call finds what was there before: that has no beginning.
func (r *routes) moved(name func(int) string, first bool, now time.Time) (list []change) {
	if !r.dirty {
		return nil
	}
	r.dirty = false
	since := now.UTC()
	if first {
		since = time.Time{}
	}
	there := make(map[string]bool)
	for key, k := range r.all {
		d := describeRoute(r.netns, key, k, name)
		at := d.Key()
		there[at] = true
		last, known := r.told[at]
		if d.Since = last.Since; !known {
			d.Since = since
		}
		if !known || !reflect.DeepEqual(last, d) {
			r.told[at] = d
			list = append(list, change{model.PackageRoutes, at, d})
		}
	}
	for at := range r.told {
		if !there[at] {
			delete(r.told, at)
			list = append(list, change{model.PackageRoutes, at, nil})
		}
	}
	for at, rule := range r.rules {
		if _, known := r.toldRules[at]; !known {
			rule.Since = since
			r.toldRules[at] = rule
			list = append(list, change{model.PackageRules, at, rule})
		}
	}
	for at := range r.toldRules {
		if _, there := r.rules[at]; !there {
			delete(r.toldRules, at)
			list = append(list, change{model.PackageRules, at, nil})
		}
	}
	slices.SortFunc(list, func(a, b change) int { return cmp.Or(cmp.Compare(a.pkg, b.pkg), cmp.Compare(a.key, b.key)) })
	return list
}
