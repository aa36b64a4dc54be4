package groups

import (
	"slices"
	"time"

	"cassini/model"
)

// Fold makes the groups of a moment. before are the facts of the earlier moment that
// births and deaths count from, which is since. The groups come sorted by name, with the
// first few of what they depend on.
func Fold(by string, before, now Facts, since time.Time) []model.FunctionalGroup {
	f := newFolding(by, before, now, since)
	list := make([]model.FunctionalGroup, 0, len(f.groups))
	for _, g := range f.groups {
		shown := g.finish()
		shown.DependsOn = shown.DependsOn[:min(len(shown.DependsOn), shownLinks)]
		shown.UsedBy = nil
		list = append(list, shown)
	}
	Sort(list, SortName)
	return list
}

// One is the group of a name with at most limit of its members, those that died, fail or
// do the most first; false when there is none.
func One(by, name string, before, now Facts, since time.Time, limit int) (model.FunctionalGroup, bool) {
	f := newFolding(by, before, now, since)
	g := f.groups[name]
	if g == nil {
		return model.FunctionalGroup{}, false
	}
	one := g.finish()
	one.DependsOn = one.DependsOn[:min(len(one.DependsOn), MostLinks)]
	one.UsedBy = one.UsedBy[:min(len(one.UsedBy), MostLinks)]
	one.Members = g.sortedMembers(limit)
	return one, true
}

// folding is Facts on their way into groups.
type folding struct {
	groups map[string]*group
	before map[string]Thing
}

// group is one on its way.
type group struct {
	model.FunctionalGroup
	hosts, down map[string]bool
	listened    int // services that listened at the earlier moment
	flapping    bool
	clients     map[int]bool
	uses, users map[string]model.GroupFigures
	members     map[int]*model.GroupMember
}

func newFolding(by string, before, now Facts, since time.Time) *folding {
	f := &folding{groups: make(map[string]*group), before: make(map[string]Thing, len(before.Things))}
	for _, t := range before.Things {
		f.before[t.ID] = t
	}
	for i, t := range now.Things {
		for _, name := range t.Groups {
			f.group(by, name, since).add(i, t, f.before[t.ID])
		}
	}
	for _, t := range before.Things { // those that are forgotten since were there as well
		for _, name := range t.Groups {
			if g := f.groups[name]; g != nil && t.listens() {
				g.listened++
			}
		}
	}
	for _, l := range now.Links {
		f.link(now.Things, l)
	}
	return f
}

func (t Thing) listens() bool { return t.Kind == model.KindService && t.Alive }

func (f *folding) group(by, name string, since time.Time) *group {
	g := f.groups[name]
	if g == nil {
		g = &group{
			hosts: make(map[string]bool), down: make(map[string]bool), clients: make(map[int]bool),
			uses: make(map[string]model.GroupFigures), users: make(map[string]model.GroupFigures), members: make(map[int]*model.GroupMember),
		}
		g.By, g.Name, g.Since = by, name, since
		f.groups[name] = g
	}
	return g
}

// add takes a thing in, with what it was at the earlier moment.
func (g *group) add(i int, t, was Thing) {
	births, deaths := grown(was.Births, t.Births), grown(was.Deaths, t.Deaths)
	g.members[i] = &model.GroupMember{ID: t.ID, Kind: t.Kind, Host: t.Host, State: t.State, Since: t.Since, Births: births, Deaths: deaths}
	g.Births += births
	g.Deaths += deaths
	if t.Host != "" {
		g.hosts[t.Host] = true
		if t.Down {
			g.down[t.Host] = true
		}
	}
	switch {
	case t.listens():
		g.Services++
	case t.Kind == model.KindService && t.State == model.StateEnded:
		g.Ended++
	case t.Kind == model.KindProcess:
		g.Programs++
	}
	g.flapping = g.flapping || t.Flapping
	if !t.Alive || t.Since.IsZero() || t.Kind == model.KindHost {
		return
	}
	if g.Oldest.IsZero() || t.Since.Before(g.Oldest) {
		g.Oldest = t.Since
	}
	if t.Since.After(g.Newest) {
		g.Newest = t.Since
	}
}

// grown is by how much a count grew. One that fell began anew: the thing was forgotten
// in between.
func grown(was, is uint64) uint64 {
	if is < was {
		return is
	}
	return is - was
}

// link counts a dependency on all groups that either end is in. One between members of one
// group is within it, whatever others they are in.
func (f *folding) link(things []Thing, l Link) {
	from, to := things[l.From], things[l.To]
	together := slices.ContainsFunc(from.Groups, func(name string) bool { return slices.Contains(to.Groups, name) })
	for _, name := range from.Groups {
		g := f.groups[name]
		g.Dialled = plus(g.Dialled, l.GroupFigures)
		g.members[l.From].Dialled = plus(g.members[l.From].Dialled, l.GroupFigures)
		for _, other := range to.Groups {
			if !together || other == name {
				g.uses[other] = plus(g.uses[other], l.GroupFigures)
			}
		}
	}
	for _, name := range to.Groups {
		g := f.groups[name]
		g.Served = plus(g.Served, l.GroupFigures)
		g.members[l.To].Served = plus(g.members[l.To].Served, l.GroupFigures)
		for _, other := range from.Groups {
			if !together || other == name {
				g.users[other] = plus(g.users[other], l.GroupFigures)
			}
		}
		if !slices.Contains(from.Groups, name) {
			g.clients[l.From] = true
		}
	}
}
