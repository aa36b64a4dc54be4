package value

import (
	"math"
	"strconv"
	"strings"

	"cassini/manager/cypher/temporal"
)

// Format writes a value as the language would: 'text', [1, 2.0],
// (:host {name: 'web-17'}), <(:a)-[:t]->(:b)>.
func Format(v Value) string {
	var b strings.Builder
	format(&b, v)
	return b.String()
}

func format(b *strings.Builder, v Value) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int64:
		b.WriteString(strconv.FormatInt(v, 10))
	case float64:
		b.WriteString(FormatFloat(v))
	case string:
		quote(b, v)
	case List:
		b.WriteByte('[')
		for i, e := range v {
			separate(b, i)
			format(b, e)
		}
		b.WriteByte(']')
	case Map:
		formatMap(b, v)
	case *Node:
		formatNode(b, v)
	case *Relationship:
		formatRelationship(b, v)
	case *Path:
		formatPath(b, v)
	default:
		b.WriteByte('\'')
		b.WriteString(Text(v))
		b.WriteByte('\'')
	}
}

// FormatFloat writes a float so that nobody takes it for an integer.
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	form := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		form = 'E'
	}
	s := strconv.FormatFloat(f, form, -1, 64)
	mantissa, exponent, scientific := strings.Cut(s, "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if !scientific {
		return mantissa
	}
	mark := strings.TrimPrefix(exponent[:1], "+")
	return mantissa + "E" + mark + strings.TrimLeft(exponent[1:], "0")
}

// Text is a value without quotes around it, as toString has it.
func Text(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case temporal.Date:
		return v.String()
	case temporal.LocalTime:
		return v.String()
	case temporal.Time:
		return v.String()
	case temporal.LocalDateTime:
		return v.String()
	case temporal.DateTime:
		return v.String()
	case temporal.Duration:
		return v.String()
	}
	return Format(v)
}

func separate(b *strings.Builder, i int) {
	if i > 0 {
		b.WriteString(", ")
	}
}

func quote(b *strings.Builder, s string) {
	b.WriteByte('\'')
	for _, r := range s {
		switch r {
		case '\'', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('\'')
}

func formatMap(b *strings.Builder, m Map) {
	b.WriteByte('{')
	for i, name := range Names(m) {
		separate(b, i)
		b.WriteString(Symbol(name))
		b.WriteString(": ")
		format(b, m[name])
	}
	b.WriteByte('}')
}

// Symbol writes a name, in backticks where it needs them.
func Symbol(name string) string {
	plain := name != ""
	for i, r := range name {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r > 127
		if !letter && (i == 0 || r < '0' || r > '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func formatNode(b *strings.Builder, n *Node) {
	b.WriteByte('(')
	for _, l := range n.Labels {
		b.WriteByte(':')
		b.WriteString(Symbol(l))
	}
	formatProperties(b, n.Properties(), len(n.Labels) > 0)
	b.WriteByte(')')
}

func formatProperties(b *strings.Builder, m Map, space bool) {
	if len(m) == 0 {
		return
	}
	if space {
		b.WriteByte(' ')
	}
	formatMap(b, m)
}

func formatRelationship(b *strings.Builder, r *Relationship) {
	b.WriteString("[:")
	b.WriteString(Symbol(r.Type))
	formatProperties(b, r.Properties(), true)
	b.WriteByte(']')
}

func formatPath(b *strings.Builder, p *Path) {
	b.WriteByte('<')
	formatNode(b, p.Nodes[0])
	for i, r := range p.Relationships {
		before, after := "-", "->"
		if r.Start.ID != p.Nodes[i].ID {
			before, after = "<-", "-"
		}
		b.WriteString(before)
		formatRelationship(b, r)
		b.WriteString(after)
		formatNode(b, p.Nodes[i+1])
	}
	b.WriteByte('>')
}
