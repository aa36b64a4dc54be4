package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"sync"

	"cassini/model"
)

// moving are attributes that always move: a difference in them is no news.
var moving = []string{"last_seen", "first_seen", "carrier_changes", "pid", "seen_by", "lives", "births", "deaths", "alive"}

// DiffGraphs tells which nodes and dependencies came, went and changed between two
// graphs, each sorted by kind and identifier. Counters and moments are left out, and so
// is what only says where something is, such as an address of its own. Neither graph changes while
// they are compared, but both may while they are made ready for it.
func DiffGraphs(before, after *Graph) model.Diff {
	return diffGraphs(before, after, runtime.GOMAXPROCS(0), compareApart)
}

// compareApart is how many nodes are worth a processor of their own.
const compareApart = 1000

func diffGraphs(before, after *Graph, processors, apart int) model.Diff {
	d := comparison{
		processors: processors, apart: apart,

		Diff:     model.Diff{Came: []model.Change{}, Went: []model.Change{}, Changed: []model.Change{}, Flapping: after.Flapping()},
		flapping: make(map[string]bool),
	}
	for _, f := range d.Flapping { // neither there nor gone
		d.flapping[f.ID] = true
	}
	if before != after {
		before.SumUp(context.Background())
		after.SumUp(context.Background())
		readBoth(before, after, d.compareAll)
	}
	for _, list := range [][]model.Change{d.Came, d.Went, d.Changed} {
		slices.SortFunc(list, func(a, b model.Change) int {
			return cmp.Or(strings.Compare(a.Kind, b.Kind), natural(a.ID, b.ID), strings.Compare(a.ID, b.ID))
		})
	}
	return d.Diff
}

// comparison collects what differs.
type comparison struct {
	model.Diff
	flapping   map[string]bool
	then, now  sums // of both views
	processors int
	apart      int // as many nodes are worth one
}

// compareAll compares both views, a part of them on each processor.
func (d *comparison) compareAll(then, now *view) {
	was, is := then.ordered(), now.ordered()
	d.then, d.now = then.latestSums(), now.latestSums()
	parts := make([]comparison, min(d.processors, 1+len(is.list)/d.apart))
	var comparing sync.WaitGroup
	for i := range parts {
		parts[i].flapping, parts[i].then, parts[i].now = d.flapping, d.then, d.now
		mine, theirs := is, was
		if i+1 < len(parts) {
			end := len(is.list) / (len(parts) - i)
			mine, theirs = is.to(end), was.to(was.before(is.at(end)))
		}
		is, was = is.from(len(mine.list)), was.from(len(theirs.list))
		comparing.Go(func() { sideBySide(theirs, mine, parts[i].sameSums, parts[i].compare) })
	}
	comparing.Wait()
	for _, p := range parts {
		d.Came, d.Went, d.Changed = append(d.Came, p.Came...), append(d.Went, p.Went...), append(d.Changed, p.Changed...)
	}
}

// sameSums says that sums of two nodes are known and the same, by their indices.
func (d *comparison) sameSums(was, is int32) bool {
	sum := d.then[was].Load()
	return sum != 0 && sum == d.now[is].Load()
}

// compare compares a node as it was and is, of which one may not be there.
func (d *comparison) compare(was, is *node) {
	if was == nil || is == nil || d.then.of(was) != d.now.of(is) || d.now.of(is) == 0 {
		d.differ(was, is)
	}
}

// differ compares a node as it was and is, with its edges.
func (d *comparison) differ(was, is *node) {
	d.nodes(was, is)
	for _, kind := range toldEdges {
		mergeEdges(was, is, kind, d.edges)
	}
}

// to are the edges of a kind from a node, by where they lead.
func (n *node) to(kind edgeKind) []*edge {
	if n == nil {
		return nil
	}
	is := func(e *edge) bool { return e.kind == kind }
	first := slices.IndexFunc(n.out(), is)
	if first < 0 {
		return nil
	}
	end := first + 1
	for end < len(n.out()) && is(n.out()[end]) { // those of a kind stand together
		end++
	}
	return n.out()[first:end]
}

// toldEdges are the kinds of edges that differences are told of.
var toldEdges = [...]edgeKind{edgeDependsOn, edgeWiredTo}

// nodes compares a node as it was and is, of which one may not be there.
func (d *comparison) nodes(was, is *node) {
	before, after := d.counts(was), d.counts(is)
	switch {
	case !before && !after:
	case !before:
		d.Came = append(d.Came, is.change())
	case !after:
		d.Went = append(d.Went, was.change())
	case !is.alike(was):
		if attrs := differing(was.attrs(), is.attrs()); len(attrs) > 0 {
			c := is.change()
			c.Attrs = attrs
			d.Changed = append(d.Changed, c)
		}
	}
}

// counts says whether a node is there, and one that a person sees come and go. A service
// that ended is not there.
func (d *comparison) counts(n *node) bool {
	if n == nil {
		return false
	}
	return !toldByOthers(n.kind) && !d.flapping[n.id] && !n.ended()
}

// toldByOthers says that nodes of a kind are told by what has them.
func toldByOthers(kind nodeKind) bool {
	return kind == nodeEndpoint || kind == nodeIP || kind == nodeMAC || kind == nodeProcess
}

// compared says whether differences are told of nodes of a kind, or of edges from such.
func compared(kind nodeKind) bool { return !toldByOthers(kind) || kind == nodeProcess }

func (n *node) change() model.Change {
	return model.Change{ID: n.id, Kind: n.kind.String(), Host: n.host()}
}

func (d *comparison) edges(was, is *edge) {
	switch {
	case was == nil:
		d.Came = append(d.Came, is.change())
	case is == nil:
		d.Went = append(d.Went, was.change())
	}
}

func (e *edge) change() model.Change {
	return model.Change{ID: e.id(), Kind: e.kind.String(), Host: e.from.host()}
}

// differing are the attributes that differ, as JSON has them.
func differing(before, after model.Attrs) map[string][2]any {
	found := make(map[string][2]any)
	compare := func(key string) {
		if !slices.Contains(moving, key) && !equalJSON(before[key], after[key]) {
			found[key] = [2]any{before[key], after[key]}
		}
	}
	for key := range before {
		compare(key)
	}
	for key := range after {
		if _, compared := before[key]; !compared {
			compare(key)
		}
	}
	return found
}

// equalJSON says whether two values are written alike. Most are of the first few types.
func equalJSON(a, b any) bool {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok && x == y {
			return true
		}
	case bool:
		if y, ok := b.(bool); ok {
			return x == y
		}
	case int:
		if y, ok := b.(int); ok {
			return x == y
		}
	case []string:
		if y, ok := b.([]string); ok && slices.Equal(x, y) && (x == nil) == (y == nil) {
			return true
		}
	}
	return plain(a) == plain(b)
}

func plain(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "" // attributes are JSON values
	}
	return string(text)
}
