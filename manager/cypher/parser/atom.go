package parser

import (
	"math"
	"strconv"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/token"
)

// atom reads what has no operator in it.
func (p *parser) atom() (ast.Expr, error) {
	t := p.peek()
	switch t.Kind {
	case token.Int, token.Float:
		return p.number(false)
	case token.String:
		p.next()
		return &ast.Literal{At: t.At, Value: t.Text}, nil
	case token.Symbol:
		return p.bracketed(t)
	case token.Name:
		return p.word(t)
	case token.Quoted:
		return p.variableOrCall(t)
	case token.Bad:
		return nil, t.Err
	}
	return nil, p.unexpected("an expression")
}

// bracketed reads what begins with a symbol.
func (p *parser) bracketed(t token.Token) (ast.Expr, error) {
	switch t.Text {
	case "$":
		return p.param(t)
	case "{":
		return p.mapLiteral()
	case "[":
		return p.list(t)
	case "(":
		if p.isPattern(p.at) {
			pattern, err := p.chain()
			return &ast.Exists{At: t.At, Pattern: true, Match: &ast.Match{At: t.At, Patterns: []*ast.Pattern{pattern}}}, err
		}
		p.next()
		defer func(bars int) { p.bars = bars }(p.bars)
		p.bars = 0
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		return e, p.want(")")
	}
	return nil, p.unexpected("an expression")
}

// number reads a number; its sign has been read.
func (p *parser) number(negative bool) (ast.Expr, error) {
	t := p.next()
	text := t.Text
	if negative {
		text = "-" + text
	}
	if t.Kind == token.Float {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) {
			return nil, issue.New(issue.Syntax, "FloatingPointOverflow", t.At, "%s is too large for a float", text)
		}
		return &ast.Literal{At: t.At, Value: f}, nil
	}
	base := 10
	if len(t.Text) > 1 && strings.ContainsAny(t.Text[1:2], "xXoO") {
		base = 0
	}
	n, err := strconv.ParseInt(text, base, 64)
	if err != nil {
		return nil, issue.New(issue.Syntax, "IntegerOverflow", t.At, "%s does not fit into 64 bits", text).WithHint("write it as a float: %s.0", text)
	}
	return &ast.Literal{At: t.At, Value: n}, nil
}

func (p *parser) param(t token.Token) (ast.Expr, error) {
	p.next()
	n := p.peek()
	switch n.Kind {
	case token.Name, token.Quoted, token.Int:
		p.next()
	default:
		return nil, p.unexpected("the name of a parameter")
	}
	if !p.params[n.Text] {
		p.params[n.Text] = true
		p.names = append(p.names, n.Text)
	}
	return &ast.Param{At: t.At, Name: n.Text}, nil
}

// word reads what begins with a word: a constant, a form of its own, a function or
// a variable.
func (p *parser) word(t token.Token) (ast.Expr, error) {
	upper := strings.ToUpper(t.Text)
	called := isSymbol(p.ahead(1), "(")
	switch upper {
	case "TRUE", "FALSE", "NULL":
		p.next()
		return &ast.Literal{At: t.At, Value: map[string]any{"TRUE": true, "FALSE": false}[upper]}, nil
	case "CASE":
		return p.caseExpr()
	case "WHEN", "THEN", "ELSE", "END":
		if p.cases > 0 {
			return nil, p.unexpected("an expression")
		}
	case "ALL", "ANY", "NONE", "SINGLE":
		if called {
			return p.quantifier(strings.ToLower(t.Text))
		}
	case "REDUCE":
		if called {
			return p.reduce()
		}
	case "COUNT":
		if isSymbol(p.ahead(1), "{") {
			return p.exists(true)
		}
	case "EXISTS":
		if isSymbol(p.ahead(1), "{") {
			return p.exists(false)
		}
		if called && p.isPattern(p.at+2) {
			p.at += 2
			e, err := p.bracketed(p.peek())
			if err != nil {
				return nil, err
			}
			e.(*ast.Exists).Called = true // isPattern said so
			return e, p.want(")")
		}
	}
	if !called && reserved(upper) {
		return nil, p.unexpected("an expression")
	}
	return p.variableOrCall(t)
}

// variableOrCall reads a variable, or a function, whose name may have dots in it.
func (p *parser) variableOrCall(t token.Token) (ast.Expr, error) {
	n := 1
	for isSymbol(p.ahead(n), ".") && (p.ahead(n+1).Kind == token.Name || p.ahead(n+1).Kind == token.Quoted) {
		n += 2
	}
	if !isSymbol(p.ahead(n), "(") {
		p.next()
		return &ast.Variable{At: t.At, Name: t.Text}, nil
	}
	name := ""
	for range n {
		name += p.next().Text
	}
	p.next() // (
	c := &ast.Call{At: t.At, Name: name}
	if strings.EqualFold(name, "count") && p.symbol("*") {
		c.Star = true
		return c, p.want(")")
	}
	c.Distinct = p.keyword("DISTINCT")
	return c, p.items(")", func() error {
		arg, err := p.expr()
		c.Args = append(c.Args, arg)
		return err
	})
}

// items reads what stands between commas, up to a closing bracket.
func (p *parser) items(closing string, item func() error) error {
	if p.symbol(closing) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if !p.symbol(",") {
			return p.want(closing)
		}
	}
}

func (p *parser) mapLiteral() (ast.Expr, error) {
	m := &ast.MapLit{At: p.next().At}
	return m, p.items("}", func() error {
		key, err := p.name("a name")
		if err != nil {
			return err
		}
		if err := p.want(":"); err != nil {
			return err
		}
		v, err := p.expr()
		m.Keys, m.Values = append(m.Keys, key), append(m.Values, v)
		return err
	})
}

func isVariable(e ast.Expr) bool {
	_, ok := e.(*ast.Variable)
	return ok
}

// mapProjection reads what stands behind a variable in n {.name, .*, key: value,
// other}.
func (p *parser) mapProjection(of ast.Expr) (ast.Expr, error) {
	m := &ast.MapLit{At: p.next().At, Of: of}
	return m, p.items("}", func() (err error) {
		at := p.peek().At
		own := p.symbol(".")
		if own && p.symbol("*") {
			m.All = true
			return nil
		}
		key, err := p.name("a name or .*")
		if err != nil {
			return err
		}
		var v ast.Expr = &ast.Variable{At: at, Name: key}
		if own {
			v = &ast.Property{At: at, X: of, Key: key}
		} else if p.symbol(":") {
			v, err = p.expr()
		}
		m.Keys, m.Values = append(m.Keys, key), append(m.Values, v)
		return err
	})
}
