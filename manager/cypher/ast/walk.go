package ast

// Children are the expressions right inside an expression that are evaluated in
// the same scope or in one that it opens. Those within patterns and queries of
// EXISTS are not among them.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Property:
		return []Expr{e.X}
	case *Index:
		return []Expr{e.X, e.I}
	case *Slice:
		return some(e.X, e.From, e.To)
	case *Unary:
		return []Expr{e.X}
	case *Binary:
		return []Expr{e.L, e.R}
	case *Compare:
		return append([]Expr{e.First}, e.Rest...)
	case *IsNull:
		return []Expr{e.X}
	case *HasLabels:
		return []Expr{e.X}
	case *ListLit:
		return e.Items
	case *MapLit:
		return some(append([]Expr{e.Of}, e.Values...)...)
	case *Call:
		return e.Args
	case *Case:
		return some(append(append([]Expr{e.Subject, e.Else}, e.When...), e.Then...)...)
	case *ListComp:
		return some(e.List, e.Where, e.Map)
	case *PatternComp:
		return some(e.Where, e.Map)
	case *Quantifier:
		return some(e.List, e.Where)
	case *Reduce:
		return []Expr{e.Init, e.List, e.Step}
	}
	return nil
}

func some(list ...Expr) []Expr {
	out := list[:0]
	for _, e := range list {
		if e != nil {
			out = append(out, e)
		}
	}
	return out
}

// Local are the variables that an expression brings for its own parts.
func Local(e Expr) []string {
	switch e := e.(type) {
	case *ListComp:
		return []string{e.Var}
	case *Quantifier:
		return []string{e.Var}
	case *Reduce:
		return []string{e.Acc, e.Var}
	case *PatternComp:
		return e.Pattern.Names()
	case *Exists:
		if e.Match != nil {
			var names []string
			for _, p := range e.Match.Patterns {
				names = append(names, p.Names()...)
			}
			return names
		}
	}
	return nil
}

// Names are the variables in a pattern, the path first, each once for every time
// that it stands there.
func (p *Pattern) Names() (names []string) {
	if p.Path != "" {
		names = append(names, p.Path)
	}
	for i, n := range p.Nodes {
		if n.Name != "" {
			names = append(names, n.Name)
		}
		if i < len(p.Rels) && p.Rels[i].Name != "" {
			names = append(names, p.Rels[i].Name)
		}
	}
	return names
}

// Props are the property expressions in a pattern.
func (p *Pattern) Props() []Expr {
	return p.each(func(n *NodePattern) Expr { return n.Props }, func(r *RelPattern) Expr { return r.Props })
}

// Conditions are the conditions that stand within a pattern.
func (p *Pattern) Conditions() []Expr {
	return p.each(func(n *NodePattern) Expr { return n.Where }, func(r *RelPattern) Expr { return r.Where })
}

// each is what nodes and relationships of a pattern have of something.
func (p *Pattern) each(node func(*NodePattern) Expr, rel func(*RelPattern) Expr) (list []Expr) {
	for i, n := range p.Nodes {
		list = append(list, node(n))
		if i < len(p.Rels) {
			list = append(list, rel(p.Rels[i]))
		}
	}
	return some(list...)
}
