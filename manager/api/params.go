package api

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// kind is what a parameter's value looks like.
type kind int

const (
	text kind = iota
	number
	moment // RFC 3339, not in the future
	entry  // an event's identifier or a log key, or how one begins
)

// param describes one query parameter. A parameter that is given empty counts as
// not given.
type param struct {
	name, about string
	kind        kind
	required    bool
	many        bool     // may come several times, or with commas
	whole       bool     // a comma is part of a value: only several times
	enum        []string // the values allowed, nil for any
	low, high   int      // of a number
	def         any      // what it is when it is not given
}

// params are parameters that were found good.
type params struct {
	texts   map[string][]string
	numbers map[string]int
	moments map[string]time.Time
}

func (p params) get(name string) string {
	if v := p.texts[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (p params) at() time.Time { return p.moments["at"] }

// parse checks a query. The error says what is wrong and what is allowed.
func (r route) parse(query string, now time.Time) (params, error) {
	p := params{texts: map[string][]string{}, numbers: map[string]int{}, moments: map[string]time.Time{}}
	values, err := url.ParseQuery(query)
	if err != nil {
		return p, fmt.Errorf("the query cannot be read: %w", err)
	}
	for name := range values {
		if !slices.ContainsFunc(r.params, func(d param) bool { return d.name == name }) {
			return p, fmt.Errorf("unknown parameter %q: %s", name, r.allowed())
		}
	}
	for _, d := range r.params {
		if err := d.take(values[d.name], now, p); err != nil {
			return p, err
		}
	}
	return p, nil
}

func (r route) allowed() string {
	if len(r.params) == 0 {
		return "none is allowed here"
	}
	names := make([]string, len(r.params))
	for i, d := range r.params {
		names[i] = d.name
	}
	return "allowed are " + strings.Join(names, ", ")
}

func (d param) take(values []string, now time.Time, p params) error {
	if d.many && !d.whole {
		values = strings.Split(strings.Join(values, ","), ",")
	}
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	switch {
	case len(values) == 0 && d.required:
		return fmt.Errorf("parameter %q is missing: %s", d.name, d.about)
	case len(values) == 0:
		return d.takeDefault(p)
	case len(values) > 1 && !d.many:
		return fmt.Errorf("parameter %q is given %d times", d.name, len(values))
	}
	for _, v := range values {
		if err := d.check(v, now, p); err != nil {
			return err
		}
	}
	return nil
}

func (d param) takeDefault(p params) error {
	switch v := d.def.(type) {
	case int:
		p.numbers[d.name] = v
	case string:
		p.texts[d.name] = []string{v}
	}
	return nil
}

// check puts one value into p.
func (d param) check(v string, now time.Time, p params) error {
	switch d.kind {
	case number:
		n, err := strconv.Atoi(v)
		if err != nil || n < d.low || n > d.high {
			return fmt.Errorf("parameter %q is %q: want a number from %d to %d", d.name, v, d.low, d.high)
		}
		p.numbers[d.name] = n
	case moment:
		at, err := time.Parse(time.RFC3339Nano, v)
		if err != nil || at.Year() < 1970 || at.UTC().Year() > 9999 {
			return fmt.Errorf("parameter %q is %q: want a time such as %s", d.name, v, now.UTC().Format(time.RFC3339))
		}
		if at.After(now) {
			return fmt.Errorf("parameter %q is %q, which is in the future: it is %s now", d.name, v, now.UTC().Format(time.RFC3339Nano))
		}
		p.moments[d.name] = at.UTC()
	case entry:
		if !isEntry(v) {
			return fmt.Errorf("parameter %q is %q: %w", d.name, v, errNoEntry)
		}
		p.texts[d.name] = []string{v}
	default:
		if d.enum != nil && !slices.Contains(d.enum, v) {
			return fmt.Errorf("parameter %q is %q: want one of %s", d.name, v, strings.Join(d.enum, ", "))
		}
		if !utf8.ValidString(v) {
			return fmt.Errorf("parameter %q is not UTF-8", d.name)
		}
		p.texts[d.name] = append(p.texts[d.name], v)
	}
	return nil
}

// entryTime is how identifiers of events and log keys begin, with digits for the zeros.
const entryTime = "0000-00-00.00:00:00.000000."

// errNoEntry is why a text cannot stand for a place in the log: it would be before or behind
// everything there is, and whoever waits for what comes next would wait for ever.
var errNoEntry = errors.New("want an identifier such as 2026-11-20.19:26:03.123456.listeners.web-17, or how one begins, such as 2026-11-20")

// isEntry says whether a text is an identifier of an event, a log key, or begins like one.
func isEntry(v string) bool {
	for i := range min(len(v), len(entryTime)) {
		digit := '0' <= v[i] && v[i] <= '9'
		if entryTime[i] == '0' && !digit || entryTime[i] != '0' && v[i] != entryTime[i] {
			return false
		}
	}
	return utf8.ValidString(v)
}
