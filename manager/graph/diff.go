package graph

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"cassini/model"
)

// moving are attributes that always move: a difference in them is no news.
var moving = []string{"last_seen", "first_seen", "carrier_changes", "pid", "seen_by"}

// DiffGraphs tells which nodes and dependencies came, went and changed between two
// graphs, each sorted by kind and identifier. Counters and moments are left out, and so
// is what only says where something is, such as an address of its own.
func DiffGraphs(before, after *Graph) model.Diff {
	was, is := before.things(), after.things()
	d := model.Diff{Came: []model.Change{}, Went: []model.Change{}, Changed: []model.Change{}, Flapping: after.Flapping()}
	for _, f := range d.Flapping { // neither there nor gone
		delete(was, f.ID)
		delete(is, f.ID)
	}
	for id, now := range is {
		then, known := was[id]
		if !known {
			d.Came = append(d.Came, now.Change)
			continue
		}
		if attrs := differing(then.attrs, now.attrs); len(attrs) > 0 {
			c := now.Change
			c.Attrs = attrs
			d.Changed = append(d.Changed, c)
		}
	}
	for id, then := range was {
		if _, there := is[id]; !there {
			d.Went = append(d.Went, then.Change)
		}
	}
	for _, list := range [][]model.Change{d.Came, d.Went, d.Changed} {
		slices.SortFunc(list, func(a, b model.Change) int { return cmp.Or(strings.Compare(a.Kind, b.Kind), natural(a.ID, b.ID)) })
	}
	return d
}

// thing is a node or a dependency with what is compared of it.
type thing struct {
	model.Change
	attrs model.Attrs
}

// things are what a person sees come and go. A service that ended is not there.
func (g *Graph) things() map[string]thing {
	all := make(map[string]thing)
	g.read(func(v *view) {
		for _, n := range v.sorted {
			switch n.kind {
			case model.KindEndpoint, model.KindIP, model.KindMAC, model.KindProcess:
				continue // told by what has them
			}
			if n.service != nil && n.service.now.State == model.StateEnded {
				continue
			}
			all[n.id] = thing{model.Change{ID: n.id, Kind: n.kind, Host: n.host}, n.attrs()}
		}
		for _, e := range v.edges {
			switch e.kind {
			case model.EdgeDependsOn, model.EdgeWiredTo:
				all[e.id] = thing{model.Change{ID: e.id, Kind: e.kind, Host: e.from.host}, nil}
			}
		}
	})
	return all
}

// differing are the attributes that differ, as JSON has them.
func differing(before, after model.Attrs) map[string][2]any {
	found := make(map[string][2]any)
	for _, key := range slices.Collect(maps.Keys(both(before, after))) {
		if !slices.Contains(moving, key) && plain(before[key]) != plain(after[key]) {
			found[key] = [2]any{before[key], after[key]}
		}
	}
	return found
}

func both(a, b model.Attrs) model.Attrs {
	all := maps.Clone(a)
	if all == nil {
		all = make(model.Attrs)
	}
	maps.Copy(all, b)
	return all
}

func plain(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "" // attributes are JSON values
	}
	return string(text)
}
