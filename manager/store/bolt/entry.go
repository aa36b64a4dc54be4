package bolt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

// An entry is a document as encoding/json would write it, but for characters that this escapes
// for HTML's sake, and for the body, which is as it came: that it is JSON was checked before.
// Both are done by hand, several times as fast; what is unusual is left to encoding/json.

// The names of a document's fields as they stand in an entry, with what comes before.
const (
	entryHost     = `{"host":`
	entryPackage  = `,"package":`
	entryKey      = `,"key":`
	entryTime     = `,"time":"`
	entryProgress = `","progress":true`
	entryBody     = `,"body":`
	entryNull     = "null"
)

// entrySize is how many bytes an entry has at most, unless names have to be escaped.
func entrySize(prev store.Key, d *model.Document) int {
	return len(prev) + len(d.Host) + len(d.Package) + len(d.Key) + len(d.Body) + len(time.RFC3339Nano) + 80
}

// appendEntry appends an entry to v.
func appendEntry(v []byte, prev store.Key, d *model.Document) ([]byte, error) {
	v = append(append(v, prev...), '\n')
	v = appendText(append(v, entryHost...), d.Host)
	v = appendText(append(v, entryPackage...), d.Package)
	if d.Key != "" {
		v = appendText(append(v, entryKey...), d.Key)
	}
	v, err := d.Time.AppendText(append(v, entryTime...))
	if err != nil {
		return nil, fmt.Errorf("encode document %s: %w", d.Name, err)
	}
	if d.Progress {
		v = append(v, entryProgress...)
	} else {
		v = append(v, '"')
	}
	v = append(v, entryBody...)
	if len(d.Body) == 0 {
		v = append(v, entryNull...)
	}
	return append(append(v, d.Body...), "}\n"...), nil
}

// plain says whether a text stands in JSON as it is.
func plain[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendText(v []byte, s string) []byte {
	if plain(s) {
		return append(append(append(v, '"'), s...), '"')
	}
	text, _ := json.Marshal(s) // a string always can be
	return append(v, text...)
}

// decodeEntry decodes an entry. The document's body lies in v.
func decodeEntry(k, v []byte) (e store.Entry, err error) {
	err = decodeInto(k, v, &e)
	return e, err
}

// decodeInto is decodeEntry where the entry will be. What stands there already of its host and
// package is used again where it is the same.
func decodeInto(k, v []byte, e *store.Entry) error {
	e.Key = store.Key(k)
	_, doc, found := bytes.Cut(v, []byte("\n"))
	if found && decodePlain(doc, &e.Document) {
		return nil
	}
	e.Document = model.Document{}
	if !found {
		return fmt.Errorf("%w: %s", store.ErrBadEntry, k)
	}
	if err := json.Unmarshal(doc, &e.Document); err != nil {
		return fmt.Errorf("%w: %s: %w", store.ErrBadEntry, k, err)
	}
	return nil
}

// decodePlain decodes what appendEntry has written. It is false when encoding/json has to
// look, which may find it good or bad. Host and package are those of d where they are the same.
func decodePlain(doc []byte, d *model.Document) bool {
	r := reader{doc}
	d.Host = r.text(entryHost, d.Host)
	d.Package = r.text(entryPackage, d.Package)
	d.Key, d.Progress = "", false
	if bytes.HasPrefix(r.rest, []byte(entryKey)) {
		d.Key = r.text(entryKey, "")
	}
	at, rest, found := bytes.Cut(r.after(entryTime), []byte(`"`))
	if !found || !plain(at) || d.Time.UnmarshalText(at) != nil {
		return false
	}
	if r.rest = rest; bytes.HasPrefix(rest, []byte(entryProgress[1:])) {
		r.after(entryProgress[1:])
		d.Progress = true
	}
	body, found := bytes.CutSuffix(r.after(entryBody), []byte("}\n"))
	if !found || len(body) == 0 || body[0] <= ' ' || body[0] == entryNull[0] || body[len(body)-1] <= ' ' || !model.ValidJSON(body) {
		return false
	}
	d.Body = body
	return d.Host != "" && d.Package != ""
}

// reader goes through an entry. Once something is not as expected, nothing is left.
type reader struct{ rest []byte }

func (r *reader) after(prefix string) []byte {
	rest, found := bytes.CutPrefix(r.rest, []byte(prefix))
	if !found {
		rest = nil
	}
	r.rest = rest
	return rest
}

// text reads a text in quotes. Where it is like another, it is that one.
func (r *reader) text(prefix, like string) (s string) {
	rest := r.after(prefix)
	end := closing(rest)
	if end < 0 {
		r.rest = nil
		return ""
	}
	if inside := rest[1:end]; string(inside) == like && plain(inside) {
		s = like
	} else if plain(inside) {
		s = string(inside)
	} else if json.Unmarshal(rest[:end+1], &s) != nil {
		end = len(rest) - 1
	}
	r.rest = rest[end+1:]
	return s
}

// closing is where the quote is that ends a text, or -1.
func closing(text []byte) int {
	if len(text) == 0 || text[0] != '"' {
		return -1
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
