package logquery

import (
	"fmt"
	"strings"
)

// Error says what is wrong with a question, in words for whoever asked.
type Error struct {
	// Field is the part of the question: where, group_by, aggregate, weight, columns, sort;
	// or limit, when the question is right and answering it takes too much.
	Field string
	// Line and Column, from 1 and in characters, are the place in the field; 0 when the
	// whole is meant.
	Line, Column int
	Detail, Hint string
}

// Limit is the Field of an Error about a limit.
const Limit = "limit"

// Error is one line: the field, the place, what is wrong and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Field)
	if e.Column > 0 {
		fmt.Fprintf(&b, ", line %d, column %d", e.Line, e.Column)
	}
	b.WriteString(": " + e.Detail)
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	return b.String()
}

func limitError(detail, hint string) *Error { return &Error{Field: Limit, Detail: detail, Hint: hint} }
