package exec

import (
	"slices"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

// each is properties that every relationship of a chain must have.
type each struct {
	names  []string
	values []eval
}

func (c *compiler) each(b plan.Bound) (e each, err error) {
	lit, ok := b.Expr.(*ast.MapLit)
	if !ok {
		return e, nil
	}
	e.names = lit.Keys
	e.values, err = c.list(lit.Values, b.Scope)
	return e, err
}

// wanted computes the values.
func (e each) wanted(r *run) ([]value.Value, error) { return all(r, e.values) }

// meets says whether a relationship has them.
func (e each) meets(rel *value.Relationship, want []value.Value) bool {
	for i, name := range e.names {
		if value.Equal(rel.Properties()[name], want[i]) != value.True {
			return false
		}
	}
	return true
}

// varExpand follows chains of relationships, deep first; no relationship comes
// twice in one.
type varExpand struct {
	op   *plan.VarExpand
	each each
}

func (s *varExpand) start(r *run, next sink) sink {
	return &varExpandSink{passing: passing{r, next}, varExpand: s}
}

type varExpandSink struct {
	passing
	*varExpand
}

// walk is one search.
type walk struct {
	*varExpandSink
	into *value.Node
	want []value.Value
	rels value.List
	in   map[int64]bool // relationships of the chain, once it is long
}

const perStep = 1024 // bytes of stack and list that one step of a chain takes, about

const longChain = 16 // from here on a map is faster than looking through the list

func (s *varExpandSink) push() error {
	from, ok := s.r.frame[s.op.From].(*value.Node)
	if !ok {
		return nil
	}
	w := &walk{varExpandSink: s}
	if s.op.Into {
		if w.into, ok = s.r.frame[s.op.To].(*value.Node); !ok {
			return nil
		}
	}
	var err error
	if w.want, err = s.each.wanted(s.r); err != nil {
		return err
	}
	return w.at(from)
}

// at passes the row for the chain that leads here, and goes on.
func (w *walk) at(n *value.Node) error {
	if len(w.rels) >= w.op.Min && (w.into == nil || w.into.ID == n.ID) {
		if err := w.emit(n); err != nil {
			return err
		}
	}
	if w.op.Max >= 0 && len(w.rels) >= w.op.Max {
		return nil
	}
	for rel := range w.r.graph.Expand(n, w.op.Dir, w.op.Types) {
		if err := w.r.tick(); err != nil {
			return err
		}
		if w.has(rel) || used(w.r, w.op.Unique, rel) || !w.each.meets(rel, w.want) {
			continue
		}
		if err := w.r.hold(perStep); err != nil { // it bounds how deep this goes, too
			return err
		}
		w.enter(rel)
		err := w.at(rel.Other(n))
		w.leave(rel)
		w.r.let(perStep)
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) emit(n *value.Node) error {
	list := slices.Clone(w.rels)
	if list == nil {
		list = value.List{}
	}
	if w.op.Reversed {
		slices.Reverse(list)
	}
	w.r.frame[w.op.Rel] = list
	if w.into == nil {
		w.r.frame[w.op.To] = n
	}
	return w.next.push()
}

func (w *walk) has(rel *value.Relationship) bool {
	if w.in != nil {
		return w.in[rel.ID]
	}
	for _, e := range w.rels {
		if e.(*value.Relationship).ID == rel.ID {
			return true
		}
	}
	return false
}

func (w *walk) enter(rel *value.Relationship) {
	w.rels = append(w.rels, rel)
	if w.in == nil && len(w.rels) > longChain {
		w.in = make(map[int64]bool)
		for _, e := range w.rels {
			w.in[e.(*value.Relationship).ID] = true
		}
	}
	if w.in != nil {
		w.in[rel.ID] = true
	}
}

func (w *walk) leave(rel *value.Relationship) {
	w.rels = w.rels[:len(w.rels)-1]
	if w.in != nil {
		delete(w.in, rel.ID)
	}
}
