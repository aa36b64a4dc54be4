package plan

import (
	"math"
	"slices"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/source"
)

// Guesses of how much a condition leaves, where no index tells.
const (
	conditionLeaves = 0.1
	manySteps       = 4 // what a chain without an end is taken for
)

// nextRel picks the relationship that makes the fewest rows of one, among those
// that begin at something that is bound.
func (m *matcher) nextRel() (best int, ok bool) {
	lowest := math.Inf(1)
	for i, r := range m.rels {
		from, to := m.bound[r.from], m.bound[r.to]
		var cost float64
		switch {
		case r.shortest && !(from && to):
			continue
		case m.bound[r.name]:
			cost = -1
		case !from && !to:
			continue
		case from && to:
			cost = 0.5
		case from:
			cost = m.fan(r) * m.leaves(r.to)
		default:
			cost = m.fan(r) * m.leaves(r.from)
		}
		if cost < lowest {
			best, lowest, ok = i, cost, true
		}
	}
	return best, ok
}

// fan is how many relationships of these types a node has on average.
func (m *matcher) fan(r *rel) float64 {
	g := m.p.Graph
	count := 0
	for _, t := range r.Types {
		count += g.TypeCount(g.Type(t))
	}
	if r.Types == nil {
		count = g.TypeCount("")
	}
	fan := float64(count) / float64(max(1, g.NodeCount()))
	if r.Dir == ast.Both {
		fan *= 2
	}
	if !r.Var {
		return fan
	}
	steps := r.Max
	if steps < 0 || steps > manySteps {
		steps = max(manySteps, r.Min)
	}
	return math.Pow(max(fan, 1), float64(min(steps, 50))) + 1
}

// leaves is which share of all nodes a node of the patterns can be.
func (m *matcher) leaves(name string) float64 {
	n := m.nodes[name]
	share := 1.0
	total := float64(max(1, m.p.Graph.NodeCount()))
	for _, l := range n.labels {
		share = min(share, float64(m.p.Graph.LabelCount(l))/total)
	}
	for _, c := range m.conds {
		if _, labels := c.expr.(*ast.HasLabels); !labels && slices.Contains(c.vars, name) && len(c.vars) == 1 {
			share *= conditionLeaves
		}
	}
	return share
}

// follow takes one relationship.
func (m *matcher) follow(r *rel) {
	reversed := !m.bound[r.from] && m.bound[r.to]
	from, to, dir := r.from, r.to, direction(r.Dir)
	if reversed {
		from, to, dir = to, from, dir.Reverse()
	}
	f := Follow{From: m.scope[from], Rel: m.scope[r.name], To: m.scope[to], Dir: dir, Into: m.bound[to], Unique: slices.Clone(m.uniq)}
	for _, t := range r.Types {
		f.Types = append(f.Types, m.p.Graph.Type(t))
	}
	f.Text = m.text(r, from, to, reversed)
	each := Bound{r.Props, m.scope}
	known := m.bound[r.name]
	fan := m.fan(r)
	if f.Into {
		fan = min(1, fan)
	}
	m.rows *= fan * m.leaves(to)
	switch {
	case known:
		m.ops = append(m.ops, &Retrace{Follow: f, FromBound: m.bound[from], Var: r.Var, Min: r.Min, Max: r.Max, Reversed: reversed})
	case r.shortest:
		m.ops = append(m.ops, &Shortest{Follow: f, Min: r.Min, Max: bounded(r), Var: r.Var, All: r.all, Each: each})
	case r.Var:
		m.ops = append(m.ops, &VarExpand{Follow: f, Min: r.Min, Max: r.Max, Reversed: reversed, Each: each, Rows: m.rows})
	default:
		m.ops = append(m.ops, &Expand{Follow: f, Rows: m.rows})
	}
	m.uniq = append(m.uniq, f.Rel)
	for _, name := range []string{r.name, from, to} {
		m.bound[name] = true
	}
	m.seen(from)
	m.seen(to)
}

func bounded(r *rel) int {
	if !r.Var {
		return 1
	}
	return r.Max
}

func (m *matcher) seen(name string) {
	if n := m.nodes[name]; n != nil {
		n.done = true
	}
}

// text shows a step as it is taken.
func (m *matcher) text(r *rel, from, to string, reversed bool) string {
	shown := *r.RelPattern
	if reversed {
		switch shown.Dir {
		case ast.Left:
			shown.Dir = ast.Right
		case ast.Right:
			shown.Dir = ast.Left
		}
	}
	return "(" + visible(from) + ")" + ast.PrintRel(&shown) + "(" + visible(to) + ")"
}

// visible is a name, unless it is hidden.
func visible(name string) string {
	if name != "" && name[0] == ' ' {
		return ""
	}
	return name
}

// nextNode picks the node to begin with of those that nothing leads to: what is
// bound already, then what has the fewest.
func (m *matcher) nextNode() (best *node) {
	lowest := math.Inf(1)
	for _, name := range ast.SortedNames(m.nodes) {
		n := m.nodes[name]
		if n.done {
			continue
		}
		cost := -1.0
		if !m.bound[name] {
			_, cost = m.access(n)
		}
		if cost < lowest {
			best, lowest = n, cost
		}
	}
	return best
}

// begin binds a node by the cheapest way.
func (m *matcher) begin(n *node) {
	n.done = true
	if m.bound[n.name] {
		m.ops = append(m.ops, &Present{Slot: m.scope[n.name], Name: n.name})
		return
	}
	op, rows := m.access(n)
	m.rows *= rows
	m.ops = append(m.ops, op)
	m.bound[n.name] = true
	if s, ok := op.(*Scan); ok && s.Label != "" {
		m.conds = slices.DeleteFunc(m.conds, func(c cond) bool { return m.isLabel(c, n.name, s.Label) })
	}
}

// isLabel says whether a condition is that a node has a label.
func (m *matcher) isLabel(c cond, name, label string) bool {
	e, ok := c.expr.(*ast.HasLabels)
	if !ok || len(e.Labels) != 1 || m.p.Graph.Label(e.Labels[0]) != label {
		return false
	}
	v, ok := e.X.(*ast.Variable)
	return ok && v.Name == name
}

// access is the cheapest way to all nodes that a node of the patterns can be.
func (m *matcher) access(n *node) (op Op, rows float64) {
	g := m.p.Graph
	rows = float64(g.NodeCount())
	label := ""
	for _, l := range n.labels {
		if count := float64(g.LabelCount(l)); count < rows || label == "" {
			label, rows = l, count
		}
	}
	op = &Scan{Slot: m.scope[n.name], Name: visible(n.name), Label: label, Rows: rows}
	for _, c := range m.conds {
		prop, v, ok := m.equality(c, n.name)
		if !ok {
			continue
		}
		for _, l := range append(slices.Clone(n.labels), "") {
			if count, ok := g.Indexed(l, prop); ok && float64(count) < rows {
				rows = float64(count)
				op = &Seek{Slot: m.scope[n.name], Name: visible(n.name), Label: l, Property: prop, Value: Bound{v, m.scope}, Rows: rows}
			}
		}
	}
	return op, rows
}

// equality finds in a condition the value that a property of a node must have, if
// it can be known before the node.
func (m *matcher) equality(c cond, name string) (property string, v ast.Expr, ok bool) {
	e, is := c.expr.(*ast.Compare)
	if !is || len(e.Ops) != 1 || e.Ops[0] != "=" {
		return "", nil, false
	}
	for _, sides := range [][2]ast.Expr{{e.First, e.Rest[0]}, {e.Rest[0], e.First}} {
		property := propertyOf(sides[0], name)
		if property != "" && m.ready(cond{vars: ast.SortedNames(ast.Variables(sides[1]))}) && !subquery(sides[1]) {
			return property, sides[1], true
		}
	}
	return "", nil, false
}

// propertyOf is the property of a variable that an expression is, or "".
func propertyOf(e ast.Expr, name string) string {
	property := ""
	switch x := e.(type) {
	case *ast.Property:
		property, e = x.Key, x.X
	case *ast.Call:
		if lower := strings.ToLower(x.Name); len(x.Args) != 1 || lower != "id" && lower != "elementid" {
			return ""
		}
		property, e = source.ByID, x.Args[0]
	}
	if v, ok := e.(*ast.Variable); !ok || v.Name != name {
		return ""
	}
	return property
}
