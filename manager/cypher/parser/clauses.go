package parser

import (
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/token"
)

// query reads single queries with UNION between them.
func (p *parser) query() (*ast.Query, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	q := &ast.Query{Text: p.text}
	for {
		part, err := p.singleQuery()
		if err != nil {
			return nil, err
		}
		q.Parts = append(q.Parts, part)
		at := p.peek().At
		if !p.keyword("UNION") {
			return q, nil
		}
		all := p.keyword("ALL")
		if !all {
			p.keyword("DISTINCT")
		}
		if len(q.Parts) > 1 && all != q.All {
			return nil, issue.New(issue.Syntax, "InvalidClauseComposition", at, "UNION and UNION ALL cannot be mixed")
		}
		q.All = all
	}
}

// singleQuery reads clauses up to RETURN. Within EXISTS there may be none.
func (p *parser) singleQuery() (*ast.SingleQuery, error) {
	q := &ast.SingleQuery{}
	for {
		c, err := p.clause()
		if err != nil {
			return nil, err
		}
		if c == nil {
			return q, p.ending(q)
		}
		q.Clauses = append(q.Clauses, c)
		if _, last := c.(*ast.Return); last {
			return q, p.afterReturn()
		}
	}
}

// ending checks that a query may end where no clause follows.
func (p *parser) ending(q *ast.SingleQuery) error {
	t := p.peek()
	if len(q.Clauses) == 0 {
		return p.unexpected("a clause such as MATCH, UNWIND, WITH or RETURN")
	}
	if p.within > 0 && isSymbol(t, "}") {
		return nil
	}
	if t.Kind != token.EOF && !isSymbol(t, ";") && !isKeyword(t, "UNION") {
		return p.unexpected("a clause such as MATCH, WITH or RETURN")
	}
	e := issue.New(issue.Syntax, "InvalidClauseComposition", t.At, "the query does not end with RETURN")
	return e.WithHint("say what to answer: RETURN *")
}

// afterReturn refuses clauses behind RETURN.
func (p *parser) afterReturn() error {
	t := p.peek()
	for _, word := range []string{"MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN"} {
		if isKeyword(t, word) {
			return issue.New(issue.Syntax, "InvalidClauseComposition", t.At, "%s cannot follow RETURN", word).WithHint("pass rows on by WITH instead of RETURN")
		}
	}
	if t.Kind == token.Name && writing(t.Text) {
		return p.refuse(t)
	}
	return nil
}

// refuse is the answer to a clause that writes.
func (p *parser) refuse(t token.Token) error {
	kind, code := issue.Write, "ReadOnly"
	if p.within > 0 { // openCypher has a word for it there
		kind, code = issue.Syntax, "InvalidClauseComposition"
	}
	return issue.New(kind, code, t.At, "%s would change the graph, and queries only read", strings.ToUpper(t.Text)).WithHint("the graph is made of what agents hear")
}

// clause reads one clause; nil means that none begins here.
func (p *parser) clause() (ast.Clause, error) {
	t := p.peek()
	switch {
	case p.keyword("OPTIONAL"):
		if err := p.wantKeyword("MATCH"); err != nil {
			return nil, err
		}
		return p.matchClause(t.At, true)
	case p.keyword("MATCH"):
		return p.matchClause(t.At, false)
	case p.keyword("UNWIND"):
		return p.unwind(t.At)
	case p.keyword("WITH"):
		return p.with(t.At)
	case p.keyword("RETURN"):
		proj, err := p.projection(t.At)
		if err != nil {
			return nil, err
		}
		return &ast.Return{Projection: proj}, nil
	case isKeyword(t, "CALL"):
		return nil, issue.New(issue.Syntax, "UnsupportedClause", t.At, "there is no CALL here: no procedures, and no subqueries but EXISTS and COUNT").
			WithHint("pass rows on by WITH; what is there answers MATCH (n) RETURN DISTINCT labels(n)")
	case t.Kind == token.Name && writing(t.Text):
		return nil, p.refuse(t)
	}
	return nil, nil
}

func (p *parser) matchClause(at ast.Pos, optional bool) (*ast.Match, error) {
	m := &ast.Match{At: at, Optional: optional}
	var err error
	if m.Patterns, err = p.patterns(); err != nil {
		return nil, err
	}
	m.Where, err = p.where()
	return m, err
}

// where reads a condition if there is one.
func (p *parser) where() (ast.Expr, error) {
	if !p.keyword("WHERE") {
		return nil, nil
	}
	return p.expr()
}

func (p *parser) unwind(at ast.Pos) (*ast.Unwind, error) {
	u := &ast.Unwind{At: at}
	var err error
	if u.List, err = p.expr(); err != nil {
		return nil, err
	}
	if err := p.wantKeyword("AS"); err != nil {
		return nil, err
	}
	u.AsPos = p.peek().At
	u.As, err = p.name("a name for the elements")
	return u, err
}

func (p *parser) with(at ast.Pos) (*ast.With, error) {
	proj, err := p.projection(at)
	if err != nil {
		return nil, err
	}
	w := &ast.With{Projection: proj}
	w.Where, err = p.where()
	return w, err
}

// projection reads what stands behind WITH and RETURN.
func (p *parser) projection(at ast.Pos) (ast.Projection, error) {
	proj := ast.Projection{At: at, Distinct: p.keyword("DISTINCT")}
	proj.Star = p.symbol("*")
	if !proj.Star || p.symbol(",") {
		for {
			item, err := p.item()
			if err != nil {
				return proj, err
			}
			proj.Items = append(proj.Items, item)
			if !p.symbol(",") {
				break
			}
		}
	}
	return proj, p.ordering(&proj)
}

func (p *parser) item() (ast.Item, error) {
	start := p.peek()
	item := ast.Item{At: start.At}
	var err error
	if item.Expr, err = p.expr(); err != nil {
		return item, err
	}
	item.Name = p.text[start.At.Offset:p.tokens[p.at-1].End]
	if v, ok := item.Expr.(*ast.Variable); ok {
		item.Name = v.Name
	}
	if p.keyword("AS") {
		item.Named = true
		item.At = p.peek().At
		item.Name, err = p.name("a name for the column")
	}
	return item, err
}

// ordering reads ORDER BY, SKIP and LIMIT.
func (p *parser) ordering(proj *ast.Projection) (err error) {
	if p.keyword("ORDER") {
		if err := p.wantKeyword("BY"); err != nil {
			return err
		}
		for more := true; more; more = p.symbol(",") {
			var s ast.Sort
			if s.Expr, err = p.expr(); err != nil {
				return err
			}
			s.Desc = p.keyword("DESC") || p.keyword("DESCENDING")
			if !s.Desc && !p.keyword("ASC") {
				p.keyword("ASCENDING")
			}
			proj.Order = append(proj.Order, s)
		}
	}
	if p.keyword("SKIP") || p.keyword("OFFSET") {
		if proj.Skip, err = p.expr(); err != nil {
			return err
		}
	}
	if p.keyword("LIMIT") {
		proj.Limit, err = p.expr()
	}
	return err
}
