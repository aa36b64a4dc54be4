package check

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

// patterns checks the patterns of one clause, and adds their variables. Property
// values and conditions may mention every variable of the clause, so they come
// last.
func patterns(list []*ast.Pattern, vars scope) error {
	rels := make(map[string]bool) // named in this clause
	for _, p := range list {
		if err := pattern(p, vars, rels); err != nil {
			return err
		}
	}
	for _, p := range list {
		for _, e := range p.Props() {
			if _, err := (checker{vars: vars}).expr(e); err != nil {
				return err
			}
		}
		for _, e := range p.Conditions() {
			if err := condition(e, vars); err != nil {
				return err
			}
		}
	}
	return nil
}

func pattern(p *ast.Pattern, vars scope, rels map[string]bool) error {
	for i, n := range p.Nodes {
		if err := node(n, vars); err != nil {
			return err
		}
		if i < len(p.Rels) {
			if err := relationship(p.Rels[i], vars, rels); err != nil {
				return err
			}
		}
	}
	if p.Path == "" {
		return nil
	}
	if _, taken := vars[p.Path]; taken {
		return issue.New(issue.Syntax, "VariableAlreadyBound", p.At, "the variable %s is there already, and cannot be a path too", p.Path)
	}
	vars[p.Path] = types.Of(types.Path)
	return nil
}

func node(n *ast.NodePattern, vars scope) error {
	if n.Name == "" {
		return nil
	}
	t, known := vars[n.Name]
	if known && t.Never(types.Node) {
		return conflict(n.Name, n.At, t, "node")
	}
	vars[n.Name] = types.Of(types.Node)
	return nil
}

func conflict(name string, at ast.Pos, is types.Type, wanted string) error {
	return issue.New(issue.Syntax, "VariableTypeConflict", at, "the variable %s is %s, and cannot be a %s too", name, article(is.Kinds), wanted)
}

func relationship(r *ast.RelPattern, vars scope, rels map[string]bool) error {
	if r.Name == "" {
		return nil
	}
	want := types.Of(types.Relationship)
	if r.Var {
		want = types.ListOf(want)
	}
	t, known := vars[r.Name]
	switch {
	case known && t.Never(want.Kinds), known && r.Var && t.Element().Never(types.Relationship):
		return conflict(r.Name, r.At, t, "relationship")
	case rels[r.Name]:
		return issue.New(issue.Syntax, "RelationshipUniquenessViolation", r.At, "the relationship %s stands twice in one MATCH, which no match can have", r.Name)
	}
	rels[r.Name] = true
	vars[r.Name] = want
	return nil
}

// known checks a pattern that brings no variables of its own.
func known(p *ast.Pattern, vars scope) error {
	for i, n := range p.Nodes {
		if _, ok := vars[n.Name]; n.Name != "" && !ok {
			return undefined(n.Name, n.At, vars)
		}
		if i < len(p.Rels) {
			r := p.Rels[i]
			if _, ok := vars[r.Name]; r.Name != "" && !ok {
				return undefined(r.Name, r.At, vars)
			}
		}
	}
	return nil
}
