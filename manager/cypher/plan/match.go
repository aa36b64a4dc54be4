package plan

import (
	"fmt"
	"slices"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/source"
)

// matcher plans one MATCH clause: step by step it takes what is cheapest of what
// can be done next.
type matcher struct {
	p     *Planner
	scope Scope // all variables, hidden ones too
	bound map[string]bool
	nodes map[string]*node
	rels  []*rel
	conds []cond
	ops   []Op
	rows  float64 // estimated so far
	uniq  []int   // slots of relationships that are bound
}

// node is a node of the patterns; a name that stands several times is one.
type node struct {
	name   string
	labels []string
	done   bool // it has been bound, or seen to be there
}

// rel is a relationship of the patterns.
type rel struct {
	*ast.RelPattern
	name, from, to string
	shortest, all  bool
}

// cond is a condition with the variables that must be bound before it.
type cond struct {
	expr ast.Expr
	vars []string
}

// Match plans a MATCH clause, and answers the variables behind it.
func (p *Planner) Match(c *ast.Match, scope Scope) ([]Op, Scope) {
	m := &matcher{p: p, scope: scope.with(nil), bound: map[string]bool{}, nodes: map[string]*node{}, rows: 1}
	for name := range scope {
		m.bound[name] = true
	}
	after := scope.with(nil)
	var paths []*Path
	for _, pattern := range c.Patterns {
		paths = append(paths, m.pattern(pattern))
		for _, name := range pattern.Names() {
			after[name] = m.scope[name]
		}
	}
	m.where(c.Where)
	m.run()
	for _, path := range paths {
		if path.Name != "" {
			m.ops = append(m.ops, path)
			m.bound[path.Name] = true
		}
	}
	m.filters()
	if !c.Optional {
		return m.ops, after
	}
	var nulls []int
	for name, slot := range after {
		if _, before := scope[name]; !before {
			nulls = append(nulls, slot)
		}
	}
	slices.Sort(nulls)
	return []Op{&Optional{Inner: m.ops, Nulls: nulls}}, after
}

// slot is the slot of a variable; a new one gets it here.
func (m *matcher) slot(name string) int {
	if _, ok := m.scope[name]; !ok {
		m.scope[name] = m.p.Slot()
	}
	return m.scope[name]
}

// hidden is a name that no query can have.
func (m *matcher) hidden() string {
	m.p.names++
	return fmt.Sprintf(" %d", m.p.names)
}

// pattern takes a pattern apart; the answer makes its path later.
func (m *matcher) pattern(p *ast.Pattern) *Path {
	path := &Path{Name: p.Path}
	names := make([]string, len(p.Nodes))
	for i, n := range p.Nodes {
		names[i] = m.node(n)
		path.Nodes = append(path.Nodes, m.slot(names[i]))
	}
	for i, r := range p.Rels {
		out := &rel{RelPattern: r, name: r.Name, from: names[i], to: names[i+1], shortest: p.Shortest, all: p.All}
		if out.name == "" {
			out.name = m.hidden()
		}
		path.Rels = append(path.Rels, m.slot(out.name))
		path.Var = append(path.Var, r.Var)
		m.rels = append(m.rels, out)
		if !r.Var && r.Props != nil {
			m.properties(out.name, r.Props)
		}
		m.labels(out.name, r.At, r.Is)
		m.p.noteTypes(r)
		m.where(r.Where)
	}
	if p.Path != "" {
		path.Slot = m.slot(p.Path)
	}
	return path
}

func (m *matcher) node(n *ast.NodePattern) string {
	name := n.Name
	if name == "" {
		name = m.hidden()
	}
	m.slot(name)
	if m.nodes[name] == nil {
		m.nodes[name] = &node{name: name}
	}
	for _, l := range n.Labels {
		m.nodes[name].labels = append(m.nodes[name].labels, m.p.Graph.Label(l))
		m.conds = append(m.conds, cond{&ast.HasLabels{At: n.At, X: &ast.Variable{At: n.At, Name: name}, Labels: []string{l}}, []string{name}})
	}
	m.labels(name, n.At, n.Is)
	m.p.noteLabels(n)
	if n.Props != nil {
		m.properties(name, n.Props)
	}
	m.where(n.Where)
	return name
}

// labels turns what labels or types must be into a condition.
func (m *matcher) labels(name string, at ast.Pos, is *ast.Labels) {
	if is != nil {
		m.conds = append(m.conds, cond{&ast.HasLabels{At: at, X: &ast.Variable{At: at, Name: name}, Is: is}, []string{name}})
	}
}

// properties turns {name: value} into conditions.
func (m *matcher) properties(name string, props ast.Expr) {
	lit, ok := props.(*ast.MapLit)
	if !ok {
		return
	}
	for i, key := range lit.Keys {
		at := lit.Values[i].Pos()
		m.where(&ast.Compare{At: at, First: &ast.Property{At: at, X: &ast.Variable{At: at, Name: name}, Key: key},
			Ops: []string{"="}, Rest: []ast.Expr{lit.Values[i]}})
	}
}

// where splits a condition at AND, so that each part can be looked at as soon as
// its variables are bound.
func (m *matcher) where(e ast.Expr) {
	if e == nil {
		return
	}
	if b, ok := e.(*ast.Binary); ok && b.Op == "AND" {
		m.where(b.L)
		m.where(b.R)
		return
	}
	c := cond{expr: e, vars: ast.SortedNames(ast.Variables(e))}
	if subquery(e) { // which variables it needs is not looked at
		c.vars = append(c.vars, "\x00all")
	}
	m.conds = append(m.conds, c)
}

func subquery(e ast.Expr) bool {
	if x, ok := e.(*ast.Exists); ok && !x.Pattern {
		return true
	}
	return slices.ContainsFunc(ast.Children(e), subquery)
}

// ready says whether all variables of a condition that the patterns have are
// bound.
func (m *matcher) ready(c cond) bool {
	for _, v := range c.vars {
		if _, mine := m.scope[v]; mine && !m.bound[v] || v == "\x00all" && !m.complete() {
			return false
		}
	}
	return true
}

func (m *matcher) complete() bool {
	for name := range m.scope {
		if !m.bound[name] {
			return false
		}
	}
	return true
}

// filters puts in what conditions can be looked at now.
func (m *matcher) filters() {
	m.conds = slices.DeleteFunc(m.conds, func(c cond) bool {
		if !m.ready(c) {
			return false
		}
		m.ops = append(m.ops, &Filter{Bound{c.expr, m.scope}})
		return true
	})
}

// run takes steps until everything is bound.
func (m *matcher) run() {
	m.filters()
	for {
		for len(m.rels) > 0 {
			i, ok := m.nextRel()
			if !ok {
				break
			}
			r := m.rels[i]
			m.rels = slices.Delete(m.rels, i, i+1)
			m.follow(r)
			m.filters()
		}
		n := m.nextNode()
		if n == nil {
			return
		}
		m.begin(n)
		m.filters()
	}
}

func direction(d ast.Direction) source.Direction {
	switch d {
	case ast.Right:
		return source.Out
	case ast.Left:
		return source.In
	}
	return source.Both
}
