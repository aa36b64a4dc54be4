// Package parser makes a tree of a query's text: recursive descent, one function
// for each rule of the grammar. It refuses what is no openCypher and what would
// write; what the names in a query mean is looked at by package check.
package parser

import (
	"fmt"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/token"
)

// Bounds on a query, so that no text can take the stack or the memory.
const (
	MaxText  = 64 << 10 // bytes
	maxDepth = 200      // expressions and queries in one another
	maxRels  = 100      // in one MATCH: how to go through them is weighed pair by pair
)

type parser struct {
	text   string
	tokens []token.Token
	at     int
	match  []int // for every opening bracket the token that closes it
	depth  int
	cases  int // CASE expressions around this place
	within int // EXISTS around this place
	bars   int // comprehensions around this place, in which | is theirs
	params map[string]bool
	names  []string // of parameters, in order
}

// Parse makes a tree of a text. Its errors are *issue.Error.
func Parse(text string) (*ast.Query, error) {
	if len(text) > MaxText {
		return nil, issue.New(issue.Limit, "QueryTooLong", issue.Position{Line: 1, Column: 1}, "the query has %d bytes, at most %d are taken", len(text), MaxText)
	}
	tokens, err := token.Split(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens, match: brackets(tokens), params: map[string]bool{}}
	explain := p.keyword("EXPLAIN")
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	p.symbol(";")
	if t := p.peek(); t.Kind != token.EOF {
		return nil, p.unexpected("the end of the query or a clause such as MATCH, WITH or RETURN")
	}
	q.Explain, q.Params = explain, p.names
	return q, nil
}

// brackets finds the partner of every bracket.
func brackets(tokens []token.Token) []int {
	match := make([]int, len(tokens))
	var open []int
	for i, t := range tokens {
		if t.Kind != token.Symbol {
			continue
		}
		switch t.Text {
		case "(", "[", "{":
			open = append(open, i)
		case ")", "]", "}":
			if len(open) > 0 {
				match[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
	}
	return match
}

func (p *parser) peek() token.Token { return p.ahead(0) }

func (p *parser) ahead(n int) token.Token {
	return p.tokens[min(p.at+n, len(p.tokens)-1)]
}

func (p *parser) next() token.Token {
	t := p.peek()
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	return t
}

func isSymbol(t token.Token, s string) bool { return t.Kind == token.Symbol && t.Text == s }

func isKeyword(t token.Token, word string) bool {
	return t.Kind == token.Name && strings.EqualFold(t.Text, word)
}

// symbol passes over a symbol if it is here.
func (p *parser) symbol(s string) bool {
	if isSymbol(p.peek(), s) {
		p.next()
		return true
	}
	return false
}

// keyword passes over keywords in a row if all of them are here.
func (p *parser) keyword(words ...string) bool {
	for i, w := range words {
		if !isKeyword(p.ahead(i), w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) want(s string) error {
	if p.symbol(s) {
		return nil
	}
	return p.unexpected("'" + s + "'")
}

func (p *parser) wantKeyword(word string) error {
	if p.keyword(word) {
		return nil
	}
	return p.unexpected(word)
}

// unexpected says what stands here and what could.
func (p *parser) unexpected(wanted string) *issue.Error {
	t := p.peek()
	what := fmt.Sprintf("%q", t.Text)
	switch t.Kind {
	case token.EOF:
		what = "the end of the query"
	case token.String:
		what = "a text"
	}
	e := issue.New(issue.Syntax, "UnexpectedSyntax", t.At, "unexpected %s, want %s", what, wanted)
	e.Hint = habit(t, p.ahead(1))
	if t.Kind == token.Name && e.Hint == "" {
		if near := nearKeyword(t.Text); near != "" {
			e.Hint = "did you mean " + near + "?"
		}
	}
	return e
}

// name reads a name, of whatever word.
func (p *parser) name(of string) (string, error) {
	if t := p.peek(); t.Kind == token.Name || t.Kind == token.Quoted {
		p.next()
		return t.Text, nil
	}
	return "", p.unexpected(of)
}

// enter counts how deep things stand in one another; leave must follow.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return issue.New(issue.Limit, "NestedTooDeep", p.peek().At, "the query is nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }
