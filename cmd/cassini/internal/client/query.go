package client

import (
	"net/url"
	"strconv"
	"time"
)

// Query is the parameters of a question. The methods add those that are set and
// return the query, so that they can be chained.
type Query url.Values

// With adds a parameter unless it is "".
func (q Query) With(name, value string) Query {
	if value != "" {
		url.Values(q).Set(name, value)
	}
	return q
}

// And adds one more value of a parameter.
func (q Query) And(name, value string) Query {
	url.Values(q).Add(name, value)
	return q
}

// Number adds a parameter unless it is 0.
func (q Query) Number(name string, n int) Query {
	if n != 0 {
		url.Values(q).Set(name, strconv.Itoa(n))
	}
	return q
}

// At asks for a past moment unless it is the zero time.
func (q Query) At(t time.Time) Query {
	if !t.IsZero() {
		url.Values(q).Set("at", t.UTC().Format(time.RFC3339Nano))
	}
	return q
}
