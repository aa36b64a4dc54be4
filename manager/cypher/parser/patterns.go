package parser

import (
	"strconv"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/token"
)

func (p *parser) patterns() (list []*ast.Pattern, err error) {
	count := 0
	for {
		pattern, err := p.pattern()
		if err != nil {
			return nil, err
		}
		list = append(list, pattern)
		if count += 1 + len(pattern.Rels); count > maxRels {
			return nil, issue.New(issue.Limit, "PatternTooLarge", pattern.At, "a MATCH has more than %d nodes and relationships", maxRels).WithHint("split it into several")
		}
		if !p.symbol(",") {
			return list, nil
		}
	}
}

// pattern reads a pattern with the name of its path, if it has one.
func (p *parser) pattern() (*ast.Pattern, error) {
	path := ""
	if t := p.peek(); (t.Kind == token.Name || t.Kind == token.Quoted) && isSymbol(p.ahead(1), "=") {
		path = t.Text
		p.at += 2
	}
	shortest, all := p.shortest()
	if shortest {
		if err := p.want("("); err != nil {
			return nil, err
		}
	}
	pattern, err := p.chain()
	if err != nil {
		return nil, err
	}
	pattern.Path, pattern.Shortest, pattern.All = path, shortest, all
	if !shortest {
		return pattern, nil
	}
	if len(pattern.Rels) != 1 {
		return nil, issue.New(issue.Syntax, "UnexpectedSyntax", pattern.At, "a shortest path is one relationship of many steps between two nodes").
			WithHint("write shortestPath((a)-[*]-(b))")
	}
	return pattern, p.want(")")
}

func (p *parser) shortest() (shortest, all bool) {
	if !isSymbol(p.ahead(1), "(") {
		return false, false
	}
	all = isKeyword(p.peek(), "allShortestPaths")
	if all || isKeyword(p.peek(), "shortestPath") {
		p.next()
		return true, all
	}
	return false, false
}

// chain reads nodes and the relationships between them.
func (p *parser) chain() (*ast.Pattern, error) {
	pattern := &ast.Pattern{At: p.peek().At}
	for {
		n, err := p.node()
		if err != nil {
			return nil, err
		}
		pattern.Nodes = append(pattern.Nodes, n)
		if !isSymbol(p.peek(), "-") && !isSymbol(p.peek(), "<") {
			return pattern, nil
		}
		r, err := p.relationship()
		if err != nil {
			return nil, err
		}
		if pattern.Rels = append(pattern.Rels, r); len(pattern.Rels) > maxRels {
			return nil, issue.New(issue.Limit, "PatternTooLarge", r.At, "a pattern has more than %d relationships", maxRels)
		}
	}
}

func (p *parser) node() (*ast.NodePattern, error) {
	n := &ast.NodePattern{At: p.peek().At}
	if !isSymbol(p.peek(), "(") {
		e := p.unexpected("a node such as (n:Host)")
		if t := p.peek(); t.Kind == token.Name && e.Hint == "" {
			e.Hint = "a node stands in round brackets: (" + t.Text + ")"
		} else if isSymbol(t, "{") || isSymbol(t, "+") {
			e.Hint = "many steps are written *1..3 within the relationship: -[:TYPE*1..3]->"
		}
		return nil, e
	}
	p.next()
	if t := p.peek(); t.Kind == token.Name || t.Kind == token.Quoted {
		n.Name = p.next().Text
	}
	var err error
	if n.Labels, n.Is, err = p.labels(true); err != nil {
		return nil, err
	}
	if n.Props, err = p.properties(); err != nil {
		return nil, err
	}
	if n.Where, err = p.where(); err != nil {
		return nil, err
	}
	return n, p.want(")")
}

// properties reads {name: value} in a pattern, if it is there.
func (p *parser) properties() (ast.Expr, error) {
	t := p.peek()
	if isSymbol(t, "$") {
		return nil, issue.New(issue.Syntax, "InvalidParameterUse", t.At, "a parameter cannot stand for all properties of a pattern").
			WithHint("name the properties: {name: $name}")
	}
	if !isSymbol(t, "{") {
		return nil, nil
	}
	return p.mapLiteral()
}

// relationship reads -[r:T*1..2 {}]-> and its like.
func (p *parser) relationship() (*ast.RelPattern, error) {
	r := &ast.RelPattern{At: p.peek().At, Min: 1, Max: 1}
	left := p.symbol("<")
	if err := p.want("-"); err != nil {
		return nil, err
	}
	if p.symbol("[") {
		if err := p.relationshipDetail(r); err != nil {
			return nil, err
		}
		if err := p.want("]"); err != nil {
			return nil, err
		}
	}
	if err := p.want("-"); err != nil {
		return nil, err
	}
	right := p.symbol(">")
	switch {
	case left && !right:
		r.Dir = ast.Left
	case right && !left:
		r.Dir = ast.Right
	}
	return r, nil
}

func (p *parser) relationshipDetail(r *ast.RelPattern) (err error) {
	if t := p.peek(); t.Kind == token.Name || t.Kind == token.Quoted {
		r.Name = p.next().Text
	}
	if isSymbol(p.peek(), ":") {
		if err := p.types(r); err != nil {
			return err
		}
	}
	if err := p.steps(r); err != nil {
		return err
	}
	if r.Props, err = p.properties(); err != nil {
		return err
	}
	at := p.peek().At
	if r.Where, err = p.where(); err != nil || r.Where == nil {
		return err
	}
	return p.single(r, at, "WHERE within it")
}

// types reads the types that a relationship may have.
func (p *parser) types(r *ast.RelPattern) error {
	at := p.next().At
	is, err := p.anyLabel(true)
	if err != nil {
		return err
	}
	if types, ok := is.Names("|"); ok {
		r.Types = types
		return nil
	}
	r.Is = is
	if isSymbol(p.peek(), "*") {
		r.Var = true
	}
	return p.single(r, at, "such types")
}

// single refuses for a chain what only one relationship can have.
func (p *parser) single(r *ast.RelPattern, at ast.Pos, what string) error {
	if !r.Var {
		return nil
	}
	return issue.New(issue.Syntax, "InvalidRelationshipPattern", at, "a relationship of many steps cannot have %s", what).
		WithHint("list types with | between them, and look at steps by all(r IN relationships(p) WHERE ...)")
}

// steps reads *, *2, *1..3, *..3 and *1.. .
func (p *parser) steps(r *ast.RelPattern) (err error) {
	at := p.peek().At
	if isSymbol(p.peek(), "..") {
		return issue.New(issue.Syntax, "InvalidRelationshipPattern", at, "a range of steps has no * before it").WithHint("write *1..3")
	}
	if !p.symbol("*") {
		return nil
	}
	r.Var, r.Min, r.Max = true, 1, -1
	if isSymbol(p.peek(), "-") {
		return issue.New(issue.Syntax, "InvalidRelationshipPattern", p.peek().At, "a number of steps cannot be negative")
	}
	low, given, err := p.count()
	if err != nil {
		return err
	}
	if given {
		r.Min, r.Max = low, low
	}
	if t := p.peek(); given && isSymbol(t, ",") {
		return issue.New(issue.Syntax, "InvalidRelationshipPattern", t.At, "a range of steps has two dots").WithHint("write *1..3")
	}
	if p.symbol("..") {
		r.Max = -1
		if isSymbol(p.peek(), "-") {
			return issue.New(issue.Syntax, "InvalidRelationshipPattern", p.peek().At, "a number of steps cannot be negative")
		}
		high, given, err := p.count()
		if err != nil {
			return err
		}
		if given {
			r.Max = high
		}
	}
	return nil
}

// count reads a number of steps if there is one.
func (p *parser) count() (n int, given bool, err error) {
	t := p.peek()
	if t.Kind != token.Int {
		return 0, false, nil
	}
	p.next()
	n, err = strconv.Atoi(strings.ToLower(t.Text))
	if err != nil || n > 1_000_000 {
		return 0, false, issue.New(issue.Syntax, "InvalidRelationshipPattern", t.At, "%s is no number of steps", t.Text)
	}
	return n, true, nil
}

// isPattern looks ahead: does a pattern with a relationship begin at this token?
// What is in the first brackets must look like a node, and behind them must begin
// a relationship and not a subtraction.
func (p *parser) isPattern(at int) bool {
	here := func(i int) token.Token { return p.tokens[min(i, len(p.tokens)-1)] }
	if !isSymbol(here(at), "(") || p.match[at] == 0 {
		return false
	}
	i := at + 1
	if k := here(i).Kind; k == token.Name || k == token.Quoted {
		i++
	}
	if !isSymbol(here(i), ")") && !isSymbol(here(i), ":") && !isSymbol(here(i), "{") {
		return false
	}
	i = p.match[at] + 1
	left := isSymbol(here(i), "<")
	if left {
		i++
	}
	if !isSymbol(here(i), "-") {
		return false
	}
	i++
	if isSymbol(here(i), "[") {
		end := p.match[min(i, len(p.match)-1)]
		return end > 0 && isSymbol(here(end+1), "-")
	}
	if !isSymbol(here(i), "-") {
		return false
	}
	i++
	if isSymbol(here(i), ">") {
		i++
	}
	return isSymbol(here(i), "(")
}
