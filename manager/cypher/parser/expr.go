package parser

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/token"
)

// expr reads an expression: OR binds weakest.
func (p *parser) expr() (ast.Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.logical("OR", func() (ast.Expr, error) {
		return p.logical("XOR", func() (ast.Expr, error) {
			return p.logical("AND", p.not)
		})
	})
}

// logical reads operands with one operator between them.
func (p *parser) logical(op string, operand func() (ast.Expr, error)) (ast.Expr, error) {
	left, err := operand()
	for err == nil {
		at := p.peek().At
		if !p.keyword(op) {
			return left, nil
		}
		var right ast.Expr
		if right, err = operand(); err == nil {
			left = &ast.Binary{At: at, Op: op, L: left, R: right}
		}
	}
	return nil, err
}

func (p *parser) not() (ast.Expr, error) {
	at := p.peek().At
	if !p.keyword("NOT") {
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	return &ast.Unary{At: at, Op: "NOT", X: x}, nil
}

// comparison reads a < b <= c as one chain.
func (p *parser) comparison() (ast.Expr, error) {
	first, err := p.predicate()
	if err != nil {
		return nil, err
	}
	c := &ast.Compare{At: p.peek().At, First: first}
	for {
		t := p.peek()
		if t.Kind != token.Symbol {
			break
		}
		switch t.Text {
		case "=", "<>", "<", ">", "<=", ">=":
		default:
			t.Text = ""
		}
		if t.Text == "" {
			break
		}
		p.next()
		right, err := p.predicate()
		if err != nil {
			return nil, err
		}
		c.Ops, c.Rest = append(c.Ops, t.Text), append(c.Rest, right)
	}
	if c.Ops == nil {
		return first, nil
	}
	return c, nil
}

// predicate reads IN, STARTS WITH, ENDS WITH, CONTAINS, =~ and IS NULL, which bind
// weaker than arithmetic.
func (p *parser) predicate() (ast.Expr, error) {
	left, err := p.sum()
	for err == nil {
		at := p.peek().At
		op := ""
		switch {
		case p.keyword("IN"):
			op = "IN"
		case p.keyword("STARTS", "WITH"):
			op = "STARTS WITH"
		case p.keyword("ENDS", "WITH"):
			op = "ENDS WITH"
		case p.keyword("CONTAINS"):
			op = "CONTAINS"
		case p.symbol("=~"):
			op = "=~"
		case p.keyword("IS", "NULL"):
			left = &ast.IsNull{At: at, X: left}
			continue
		case p.keyword("IS", "NOT", "NULL"):
			left = &ast.IsNull{At: at, X: left, Not: true}
			continue
		default:
			return left, nil
		}
		var right ast.Expr
		if right, err = p.sum(); err == nil {
			left = &ast.Binary{At: at, Op: op, L: left, R: right}
		}
	}
	return nil, err
}

func (p *parser) sum() (ast.Expr, error) {
	return p.arithmetic(func() (ast.Expr, error) {
		return p.arithmetic(func() (ast.Expr, error) {
			return p.arithmetic(p.unary, "^")
		}, "*", "/", "%")
	}, "+", "-")
}

// arithmetic reads operands with operators of one strength between them, from
// left to right.
func (p *parser) arithmetic(operand func() (ast.Expr, error), ops ...string) (ast.Expr, error) {
	left, err := operand()
	for err == nil {
		at, op := p.peek().At, ""
		for _, o := range ops {
			if p.symbol(o) {
				op = o
				break
			}
		}
		if op == "" {
			return left, nil
		}
		var right ast.Expr
		if right, err = operand(); err == nil {
			left = &ast.Binary{At: at, Op: op, L: left, R: right}
		}
	}
	return nil, err
}

// unary reads signs. A minus right before a number belongs to it: the smallest
// integer has no positive counterpart.
func (p *parser) unary() (ast.Expr, error) {
	at := p.peek().At
	op := ""
	switch {
	case isSymbol(p.peek(), "-") && (p.ahead(1).Kind == token.Int || p.ahead(1).Kind == token.Float):
		p.next()
		n, err := p.number(true)
		if err != nil {
			return nil, err
		}
		return p.postfix(n)
	case p.symbol("-"):
		op = "-"
	case p.symbol("+"):
		op = "+"
	default:
		x, err := p.atom()
		if err != nil {
			return nil, err
		}
		return p.postfix(x)
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	x, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &ast.Unary{At: at, Op: op, X: x}, nil
}

// postfix reads what stands behind a value: properties, indices and labels.
func (p *parser) postfix(x ast.Expr) (ast.Expr, error) {
	for {
		t := p.peek()
		switch {
		case p.symbol("."):
			key, err := p.name("the name of a property")
			if err != nil {
				return nil, err
			}
			x = &ast.Property{At: t.At, X: x, Key: key}
		case p.symbol("["):
			var err error
			if x, err = p.index(t.At, x); err != nil {
				return nil, err
			}
		case isSymbol(t, ":"):
			labels, is, err := p.labels(p.bars == 0)
			if err != nil {
				return nil, err
			}
			return &ast.HasLabels{At: t.At, X: x, Labels: labels, Is: is}, nil
		case isSymbol(t, "{") && isVariable(x):
			m, err := p.mapProjection(x)
			if err != nil {
				return nil, err
			}
			x = m
		default:
			return x, nil
		}
	}
}

// index reads [i], [a..b] and its shorter forms.
func (p *parser) index(at ast.Pos, x ast.Expr) (_ ast.Expr, err error) {
	var from, to ast.Expr
	if !isSymbol(p.peek(), "..") {
		if from, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if !p.symbol("..") {
		return &ast.Index{At: at, X: x, I: from}, p.want("]")
	}
	if !isSymbol(p.peek(), "]") {
		if to, err = p.expr(); err != nil {
			return nil, err
		}
	}
	return &ast.Slice{At: at, X: x, From: from, To: to}, p.want("]")
}
