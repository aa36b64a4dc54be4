// Package token cuts the text of a query into tokens. It knows how names,
// numbers, texts and comments are written and nothing of what they mean.
package token

import "cassini/manager/cypher/issue"

// Kind is what a token is.
type Kind uint8

// Kinds of tokens.
const (
	EOF    Kind = iota
	Name        // a name or keyword as it stands; Text is it
	Quoted      // a name in backticks; Text is what is between them
	String      // Text is what it stands for, escapes resolved
	Int         // Text is as written, in decimal, 0x or 0o
	Float       // Text is as written
	Symbol      // Text is one of the operators and brackets
	Bad         // no number, though it begins like one; Err says why
)

// Token is one of the text's parts.
type Token struct {
	Kind Kind
	Text string
	At   issue.Position
	End  int // offset behind it
	Err  error
}

// symbols that have more than one character, the longest first.
var symbols = []string{"<=", ">=", "<>", "=~", ".."}
