package tck

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"cassini/manager/cypher/value"
)

// reader reads what stands in the cells of tables: values, with nodes (:L {p: 1}),
// relationships [:T {p: 1}] and paths <(:L)-[:T]->()>. Texts have no escapes but of
// quotes.
type reader struct {
	s  string
	id int64
}

func read(text string) (value.Value, error) {
	r := &reader{s: strings.TrimSpace(text)}
	v, err := r.value()
	if err == nil && r.s != "" {
		err = fmt.Errorf("%q is left over", r.s)
	}
	return v, err
}

func (r *reader) skip() { r.s = strings.TrimLeft(r.s, " ") }

func (r *reader) take(prefix string) bool {
	r.skip()
	if !strings.HasPrefix(r.s, prefix) {
		return false
	}
	r.s = r.s[len(prefix):]
	return true
}

func (r *reader) value() (value.Value, error) {
	r.skip()
	switch {
	case r.take("'"):
		return r.text()
	case strings.HasPrefix(r.s, "[:"):
		return r.relationship(nil, nil)
	case r.take("["):
		return r.list()
	case strings.HasPrefix(r.s, "{"):
		return r.properties()
	case strings.HasPrefix(r.s, "("):
		return r.node()
	case r.take("<"):
		return r.path()
	}
	return r.word()
}

func (r *reader) text() (value.Value, error) {
	var b strings.Builder
	for i := 0; i < len(r.s); i++ {
		switch {
		case r.s[i] == '\'':
			r.s = r.s[i+1:]
			return b.String(), nil
		case r.s[i] == '\\' && i+1 < len(r.s) && (r.s[i+1] == '\'' || r.s[i+1] == '\\'):
			i++
		}
		b.WriteByte(r.s[i])
	}
	return nil, fmt.Errorf("text does not end")
}

func (r *reader) list() (value.Value, error) {
	list := value.List{}
	for !r.take("]") {
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		r.take(",")
	}
	return list, nil
}

func (r *reader) properties() (value.Map, error) {
	m := value.Map{}
	if !r.take("{") {
		return m, nil
	}
	for !r.take("}") {
		name, rest, ok := strings.Cut(r.s, ":")
		if !ok {
			return nil, fmt.Errorf("map does not end")
		}
		r.s = rest
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		m[strings.Trim(strings.TrimSpace(name), "`")] = v
		r.take(",")
	}
	return m, nil
}

func (r *reader) node() (*value.Node, error) {
	r.take("(")
	end := strings.IndexAny(r.s, "{)")
	var labels []string
	for _, l := range strings.Split(strings.TrimSpace(r.s[:end]), ":") {
		if l = strings.TrimSpace(l); l != "" {
			labels = append(labels, strings.Trim(l, "`"))
		}
	}
	r.s = r.s[end:]
	m, err := r.properties()
	if err == nil && !r.take(")") {
		err = fmt.Errorf("node does not end: %q", r.s)
	}
	r.id++
	return value.NewNode(r.id, "", labels, func() value.Map { return m }), err
}

func (r *reader) relationship(from, to *value.Node) (*value.Relationship, error) {
	r.take("[:")
	end := strings.IndexAny(r.s, " {]")
	kind := strings.Trim(r.s[:end], "`")
	r.s = r.s[end:]
	r.skip()
	m, err := r.properties()
	if err == nil && !r.take("]") {
		err = fmt.Errorf("relationship does not end: %q", r.s)
	}
	r.id++
	return value.NewRelationship(r.id, "", kind, from, to, func() value.Map { return m }), err
}

func (r *reader) path() (value.Value, error) {
	n, err := r.node()
	if err != nil {
		return nil, err
	}
	p := &value.Path{Nodes: []*value.Node{n}}
	for !r.take(">") {
		left := r.take("<-")
		if !left && !r.take("-") {
			return nil, fmt.Errorf("path does not end: %q", r.s)
		}
		rel, err := r.relationship(nil, nil)
		if err != nil {
			return nil, err
		}
		if !r.take("->") {
			r.take("-")
		}
		next, err := r.node()
		if err != nil {
			return nil, err
		}
		rel.Start, rel.End = n, next
		if left {
			rel.Start, rel.End = next, n
		}
		p.Relationships, p.Nodes = append(p.Relationships, rel), append(p.Nodes, next)
		n = next
	}
	return p, nil
}

// word reads constants and numbers.
func (r *reader) word() (value.Value, error) {
	end := strings.IndexAny(r.s, ",]})")
	if end < 0 {
		end = len(r.s)
	}
	word := strings.TrimSpace(r.s[:end])
	r.s = r.s[end:]
	switch word {
	case "null":
		return nil, nil
	case "true", "false":
		return word == "true", nil
	case "NaN":
		return math.NaN(), nil
	case "Inf":
		return math.Inf(1), nil
	case "-Inf":
		return math.Inf(-1), nil
	}
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return n, nil
	}
	return strconv.ParseFloat(word, 64)
}
