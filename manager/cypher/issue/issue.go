// Package issue is how the query engine says what is wrong with a query: what
// kind of mistake, where it stands in the text, and what to do about it. It
// knows nothing of the language itself.
package issue

import (
	"fmt"
	"strings"
)

// Kind is the family of an error, in openCypher's words where it has one.
type Kind string

// Kinds of errors.
const (
	Syntax    Kind = "SyntaxError"      // the text is no query that can be run
	Type      Kind = "TypeError"        // a value is of the wrong type
	Argument  Kind = "ArgumentError"    // a value is of the right type and out of range
	Parameter Kind = "ParameterMissing" // a parameter was not given
	Semantic  Kind = "SemanticError"    // arithmetic that has no answer
	Write     Kind = "WriteRefused"     // the query would change the graph
	Limit     Kind = "LimitExceeded"    // time, rows or memory ran out
)

// Position is a place in the text of a query. Lines and columns begin at one and
// count characters; the zero value is no place.
type Position struct {
	Line, Column int
	Offset       int // bytes
}

// Error is one thing that is wrong with a query.
type Error struct {
	Kind    Kind
	Code    string // what exactly, in openCypher's words: UndefinedVariable
	Message string
	Hint    string // what to do; may be empty
	At      Position
	Runtime bool // it showed only while the query ran
}

// New makes an error that is found before a query runs.
func New(kind Kind, code string, at Position, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, At: at, Message: fmt.Sprintf(format, args...)}
}

// Raise makes an error of a running query. Where it stands is added by whoever
// knows.
func Raise(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...), Runtime: true}
}

// WithHint adds what to do.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error is one line: place, message, code and hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.At.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.At.Line, e.At.Column)
	}
	b.WriteString(e.Message)
	fmt.Fprintf(&b, " (%s: %s)", e.Kind, e.Code)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}
