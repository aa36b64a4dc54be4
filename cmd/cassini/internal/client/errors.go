package client

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"
)

// UnreachableError says that nothing answered at URL. Err is the cause.
type UnreachableError struct {
	URL string
	Err error
}

// Error says what to do about it.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("cannot reach Cassini at %s: %s; start it with 'cassini run' or point --api/CASSINI_API at a running one", e.URL, cause(e.Err))
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// cause is the shortest true reason: "connection refused" rather than the whole
// chain of layers that passed it on.
func cause(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the manager closed the connection"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		if outer.Timeout() {
			return "no answer in time"
		}
		return outer.Err.Error()
	}
	return err.Error()
}

// Problem is an answer of the API that says no (RFC 9457).
type Problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Instance string `json:"instance"`
	// Line and Column say where in a query something is wrong; zero elsewhere.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Code is the kind of mistake in a query, or the part of a question that has it.
	Code string `json:"code"`
}

// Error is the detail, or the title where there is none.
func (p *Problem) Error() string {
	return cmp.Or(p.Detail, p.Title, fmt.Sprintf("HTTP status %d", p.Status))
}
