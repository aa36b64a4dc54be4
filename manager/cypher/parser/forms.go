package parser

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/token"
)

// list reads what begins with [: a list, or a comprehension of one.
func (p *parser) list(t token.Token) (ast.Expr, error) {
	name := p.ahead(1).Kind == token.Name || p.ahead(1).Kind == token.Quoted
	switch {
	case p.isPattern(p.at + 1), name && isSymbol(p.ahead(2), "=") && p.isPattern(p.at+3):
		return p.patternComprehension(t)
	case name && isKeyword(p.ahead(2), "IN"):
		return p.comprehension(t)
	}
	p.next()
	l := &ast.ListLit{At: t.At}
	return l, p.items("]", func() error {
		e, err := p.expr()
		l.Items = append(l.Items, e)
		return err
	})
}

// comprehension reads [x IN list WHERE w | m].
func (p *parser) comprehension(t token.Token) (_ ast.Expr, err error) {
	p.next()
	p.bars++
	defer func() { p.bars-- }()
	c := &ast.ListComp{At: t.At}
	if c.Var, c.List, c.Where, err = p.filter(); err != nil {
		return nil, err
	}
	if p.symbol("|") {
		if c.Map, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.want("]")
}

// filter reads x IN list WHERE w, of which the last part may be missing.
func (p *parser) filter() (name string, list, where ast.Expr, err error) {
	if name, err = p.name("a variable"); err != nil {
		return
	}
	if err = p.wantKeyword("IN"); err != nil {
		return
	}
	if list, err = p.expr(); err != nil {
		return
	}
	where, err = p.where()
	return
}

func (p *parser) patternComprehension(t token.Token) (_ ast.Expr, err error) {
	p.next()
	p.bars++
	defer func() { p.bars-- }()
	c := &ast.PatternComp{At: t.At}
	if c.Pattern, err = p.pattern(); err != nil {
		return nil, err
	}
	if c.Where, err = p.where(); err != nil {
		return nil, err
	}
	if err := p.want("|"); err != nil {
		return nil, err
	}
	if c.Map, err = p.expr(); err != nil {
		return nil, err
	}
	return c, p.want("]")
}

func (p *parser) quantifier(kind string) (_ ast.Expr, err error) {
	q := &ast.Quantifier{At: p.next().At, Kind: kind}
	p.next() // (
	if q.Var, q.List, q.Where, err = p.filter(); err != nil {
		return nil, err
	}
	if q.Where == nil {
		return nil, p.unexpected("WHERE")
	}
	return q, p.want(")")
}

// reduce reads reduce(a = init, x IN list | step).
func (p *parser) reduce() (_ ast.Expr, err error) {
	r := &ast.Reduce{At: p.next().At}
	p.next() // (
	p.bars++
	defer func() { p.bars-- }()
	if r.Acc, err = p.name("a variable"); err != nil {
		return nil, err
	}
	if err := p.want("="); err != nil {
		return nil, err
	}
	if r.Init, err = p.expr(); err != nil {
		return nil, err
	}
	if err := p.want(","); err != nil {
		return nil, err
	}
	where := ast.Expr(nil)
	if r.Var, r.List, where, err = p.filter(); err != nil {
		return nil, err
	}
	if where != nil {
		return nil, p.unexpected("'|'")
	}
	if err := p.want("|"); err != nil {
		return nil, err
	}
	if r.Step, err = p.expr(); err != nil {
		return nil, err
	}
	return r, p.want(")")
}

func (p *parser) caseExpr() (_ ast.Expr, err error) {
	c := &ast.Case{At: p.next().At}
	p.cases++
	defer func() { p.cases-- }()
	if !isKeyword(p.peek(), "WHEN") {
		if c.Subject, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.keyword("WHEN") {
		when, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.wantKeyword("THEN"); err != nil {
			return nil, err
		}
		then, err := p.expr()
		if err != nil {
			return nil, err
		}
		c.When, c.Then = append(c.When, when), append(c.Then, then)
	}
	if c.When == nil {
		return nil, p.unexpected("WHEN")
	}
	if p.keyword("ELSE") {
		if c.Else, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return c, p.wantKeyword("END")
}

// exists reads EXISTS or COUNT { pattern WHERE w } and { query }.
func (p *parser) exists(count bool) (_ ast.Expr, err error) {
	e := &ast.Exists{At: p.next().At, Count: count}
	p.next() // {
	p.within++
	defer func() { p.within-- }()
	if isSymbol(p.peek(), "(") || isSymbol(p.ahead(1), "=") {
		if e.Match, err = p.matchClause(e.At, false); err != nil {
			return nil, err
		}
		return e, p.want("}")
	}
	if e.Query, err = p.query(); err != nil {
		return nil, err
	}
	return e, p.want("}")
}
