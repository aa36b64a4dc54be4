package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// translation is what one host tells of connections that it translates.
type translation struct {
	host string
	model.Translation
	base  uint64 // flows that earlier runs of the agent counted
	again bool   // there were such
}

// flows is how many began, over all runs.
func (t *translation) flows() uint64 { return t.base + t.Found + t.Flows }

// way is where a client goes: what it dials, or on from a host that translates, what that
// one does.
type way struct {
	client netip.Addr
	server netip.AddrPort
	proto  string
}

func (t *translation) from() way { return way{t.Client, t.Dialled, t.Proto} }
func (t *translation) to() way   { return way{t.SeenAs, t.Reached, t.Proto} }

// maxHops bounds how many hosts translate a connection, one after the other.
const maxHops = 4

// translations are kept by where connections come from and where they go, and with them
// the Out documents that are translated. Such a document joins nothing itself: one branch
// of it for each server does, with its part of the counters.
type translations struct {
	byName   map[model.Name]*translation
	from, to map[way][]*translation
	branches map[*dependency]*branches
}

func newTranslations() translations {
	return translations{
		byName: make(map[model.Name]*translation), from: make(map[way][]*translation), to: make(map[way][]*translation),
		branches: make(map[*dependency]*branches),
	}
}

func (g *Graph) applyTranslation(doc *Decoded) bool {
	known := g.translations.byName[doc.Name]
	if doc.Gone() {
		if known != nil {
			g.dropTranslation(doc.Name)
		}
		return true
	}
	var t model.Translation
	if !take(doc, &t) || !t.Client.IsValid() || !t.SeenAs.IsValid() || !t.Dialled.IsValid() || !t.Reached.IsValid() || t.Proto == "" || t.Key() != doc.Key {
		return false
	}
	if known != nil {
		known.renew(t)
		return true
	}
	fresh := &translation{host: doc.Host, Translation: t}
	g.translations.byName[doc.Name] = fresh
	all := &g.translations
	all.from[fresh.from()] = append(all.from[fresh.from()], fresh)
	all.to[fresh.to()] = append(all.to[fresh.to()], fresh)
	g.branchAll(fresh.from())
	forgetOldest(g, all.byName, func(t *translation) time.Time { return t.LastSeen }, g.dropTranslation)
	return true
}

// renew takes the newest document. A new run of the agent counts from zero, and finds
// flows that the one before has told of.
func (t *translation) renew(body model.Translation) {
	switch since := body.CountingSince; {
	case since.Before(t.CountingSince):
		return // sent again
	case since.After(t.CountingSince):
		t.base, t.again = t.flows(), true
	}
	if t.again {
		body.Found = 0
	}
	t.Translation = body
}

func (g *Graph) dropTranslation(name model.Name) {
	all := &g.translations
	t := all.byName[name]
	delete(all.byName, name)
	for index, at := range map[*map[way][]*translation]way{&all.from: t.from(), &all.to: t.to()} {
		if (*index)[at] = remove((*index)[at], t); len((*index)[at]) == 0 {
			delete(*index, at)
		}
	}
	g.branchAll(t.from())
}

// branchAll branches anew the Out documents that go a way, and those that come to it
// through other hosts that translate.
func (g *Graph) branchAll(at way) {
	ways := []way{at}
	for hop, i := 0, 0; hop < maxHops && i < len(ways); hop++ {
		for end := len(ways); i < end; i++ {
			for _, t := range g.translations.to[ways[i]] {
				if !slices.Contains(ways, t.from()) {
					ways = append(ways, t.from())
				}
			}
		}
	}
	for _, w := range ways {
		for _, d := range g.outsOn(w) {
			g.branch(d)
		}
	}
}

// outsOn are the Out documents of a way.
func (g *Graph) outsOn(w way) (list []*dependency) {
	a := g.addresses.of(w.client)
	if a == nil {
		return nil
	}
	for _, l := range a.clients {
		if l.server() != w.server || l.target.proto != w.proto {
			continue
		}
		for _, d := range l.outDocs() {
			if d.branch() == nil {
				list = append(list, d)
			}
		}
	}
	return list
}

// goal is where connections of a document end, and who sent them there.
type goal struct {
	way
	last []*translation
}

// flows is how many connections ended there.
func (g *goal) flows() (n uint64) {
	for _, t := range g.last {
		n += t.flows()
	}
	return n
}

// goals are where connections of a host's document end that go a way.
func (g *Graph) goals(host string, at way, before []way) (list []*goal) {
	if len(before) == maxHops || slices.Contains(before, at) { // round in circles
		return nil
	}
	before = append(slices.Clone(before), at)
	for _, t := range g.onward(host, at) {
		on := g.goals(host, t.to(), before)
		if len(on) == 0 && t.to() != at {
			on = []*goal{{way: t.to(), last: []*translation{t}}}
		}
		for _, one := range on {
			if i := slices.IndexFunc(list, func(o *goal) bool { return o.way == one.way }); i >= 0 {
				list[i].last = append(list[i].last, one.last...) // several hosts share the work
			} else {
				list = append(list, one)
			}
		}
	}
	return list
}

// onward are the translations on a way: those of the document's own host where there are such,
// since addresses inside of hosts are like those inside of others.
func (g *Graph) onward(host string, at way) []*translation {
	all := slices.Clone(g.translations.from[at])
	own := slices.DeleteFunc(slices.Clone(all), func(t *translation) bool { return t.host != host })
	if len(own) > 0 || at.client.IsLoopback() || at.server.Addr().IsLoopback() {
		all = own
	}
	slices.SortFunc(all, func(a, b *translation) int {
		return cmp.Or(strings.Compare(a.host, b.host), strings.Compare(a.Key(), b.Key()))
	})
	return all
}
