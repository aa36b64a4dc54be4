package logquery

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"

	"cassini/model"
)

// Record is a document of the log or an event. One goroutine at a time reads it.
type Record struct {
	key      string
	received time.Time
	document *model.Document
	event    *model.Event
	body     any // of the document, once somebody asked
	decoded  bool
}

// OfDocument makes a record of an entry of the log; received is the time in its key.
func OfDocument(key string, received time.Time, d model.Document) *Record {
	return &Record{key: key, received: received, document: &d}
}

// OfEvent makes a record of an event.
func OfEvent(e model.Event) *Record { return &Record{key: e.ID, event: &e} }

// variable is a name in expressions with its type.
type variable struct {
	name string
	of   *cel.Type
}

func documentVariables() []variable {
	return []variable{
		{replacement, cel.StringType}, {"host", cel.StringType}, {"key", cel.StringType},
		{"time", cel.TimestampType}, {"received", cel.TimestampType}, {"log_key", cel.StringType},
		{"progress", cel.BoolType}, {"gone", cel.BoolType}, {"body", cel.DynType},
	}
}

func eventVariables() []variable {
	return []variable{
		{"id", cel.StringType}, {"kind", cel.StringType}, {"host", cel.StringType}, {"node", cel.StringType},
		{"time", cel.TimestampType}, {"summary", cel.StringType},
	}
}

// ResolveName implements cel.Activation. A body is decoded when an expression comes to
// it, which most filters on the package avoid.
func (r *Record) ResolveName(name string) (any, bool) {
	if r.event != nil {
		return eventValue(r.event, name)
	}
	d := r.document
	switch name {
	case replacement:
		return d.Package, true
	case "host":
		return d.Host, true
	case "key":
		return d.Key, true
	case "time":
		return d.Time, true
	case "received":
		return r.received, true
	case "log_key":
		return r.key, true
	case "progress":
		return d.Progress, true
	case "gone":
		return d.Gone(), true
	case "body":
		if !r.decoded {
			r.body, r.decoded = decode(d.Body), true
		}
		return r.body, true
	}
	return nil, false
}

// Parent implements cel.Activation: there is none.
func (r *Record) Parent() cel.Activation { return nil }

func eventValue(e *model.Event, name string) (any, bool) {
	switch name {
	case "id":
		return e.ID, true
	case "kind":
		return e.Kind, true
	case "host":
		return e.Host, true
	case "node":
		return e.Node, true
	case "time":
		return e.Time, true
	case "summary":
		return e.Summary, true
	}
	return nil, false
}

// decode reads a body; whole numbers stay whole. What is no JSON is null: the store
// takes none.
func decode(raw json.RawMessage) any {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&v) != nil {
		return nil
	}
	return plain(v)
}

// plain turns numbers into the narrowest type that keeps them.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		if n, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return n
		}
		f, _ := strconv.ParseFloat(v.String(), 64) // beyond its range: infinite
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}
