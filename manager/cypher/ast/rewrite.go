package ast

// Rewrite makes an expression in which some parts are others: swap answers what
// stands for a part, or nil to look into it. Parts in which a variable is covered
// by a local one of the same name are for swap to tell: it is given the names of
// the local variables around the part. Nothing that exists is changed.
func Rewrite(e Expr, swap func(e Expr, local []string) Expr) Expr {
	return rewriter{swap}.expr(e, nil)
}

type rewriter struct {
	swap func(Expr, []string) Expr
}

func (r rewriter) expr(e Expr, local []string) Expr {
	if e == nil {
		return nil
	}
	if s := r.swap(e, local); s != nil {
		return s
	}
	switch x := e.(type) {
	case *Property:
		return &Property{x.At, r.expr(x.X, local), x.Key}
	case *Index:
		return &Index{x.At, r.expr(x.X, local), r.expr(x.I, local)}
	case *Slice:
		return &Slice{x.At, r.expr(x.X, local), r.expr(x.From, local), r.expr(x.To, local)}
	case *Unary:
		return &Unary{x.At, x.Op, r.expr(x.X, local)}
	case *Binary:
		return &Binary{x.At, x.Op, r.expr(x.L, local), r.expr(x.R, local)}
	case *Compare:
		return &Compare{x.At, r.expr(x.First, local), x.Ops, r.list(x.Rest, local)}
	case *IsNull:
		return &IsNull{x.At, r.expr(x.X, local), x.Not}
	case *HasLabels:
		return &HasLabels{x.At, r.expr(x.X, local), x.Labels, x.Is}
	case *ListLit:
		return &ListLit{x.At, r.list(x.Items, local)}
	case *MapLit:
		return &MapLit{x.At, x.Keys, r.list(x.Values, local), r.expr(x.Of, local), x.All}
	case *Call:
		return &Call{x.At, x.Name, r.list(x.Args, local), x.Distinct, x.Star}
	case *Case:
		return &Case{x.At, r.expr(x.Subject, local), r.expr(x.Else, local), r.list(x.When, local), r.list(x.Then, local)}
	}
	return r.scoped(e, local)
}

func (r rewriter) list(list []Expr, local []string) []Expr {
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = r.expr(e, local)
	}
	return out
}

// scoped rewrites expressions that bring variables of their own.
func (r rewriter) scoped(e Expr, local []string) Expr {
	inner := append(append([]string{}, local...), Local(e)...)
	switch x := e.(type) {
	case *ListComp:
		return &ListComp{x.At, x.Var, r.expr(x.List, local), r.expr(x.Where, inner), r.expr(x.Map, inner)}
	case *Quantifier:
		return &Quantifier{x.At, x.Kind, x.Var, r.expr(x.List, local), r.expr(x.Where, inner)}
	case *Reduce:
		return &Reduce{x.At, x.Acc, x.Var, r.expr(x.Init, local), r.expr(x.List, local), r.expr(x.Step, inner)}
	case *PatternComp:
		return &PatternComp{x.At, x.Pattern, r.expr(x.Where, inner), r.expr(x.Map, inner)}
	}
	return e
}

// Variables are the variables in an expression that come from outside of it, those
// in its patterns among them.
func Variables(e Expr) map[string]Pos {
	found := make(map[string]Pos)
	note := func(name string, at Pos, local []string) {
		for _, l := range local {
			if l == name {
				return
			}
		}
		if _, ok := found[name]; !ok {
			found[name] = at
		}
	}
	var look func(e Expr, local []string) Expr
	look = func(e Expr, local []string) Expr {
		switch x := e.(type) {
		case *Variable:
			note(x.Name, x.At, local)
		case *PatternComp: // which of its names are new is not known here
			patternVariables(x.Pattern, local, note, look)
		case *Exists:
			if x.Match != nil {
				for _, p := range x.Match.Patterns {
					patternVariables(p, local, note, look)
				}
			}
		}
		return nil
	}
	Rewrite(e, look)
	return found
}

func patternVariables(p *Pattern, local []string, note func(string, Pos, []string), look func(Expr, []string) Expr) {
	for _, name := range p.Names() {
		note(name, p.At, local)
	}
	for _, e := range append(p.Props(), p.Conditions()...) {
		Rewrite(e, func(e Expr, inner []string) Expr { return look(e, append(append([]string{}, local...), inner...)) })
	}
}
