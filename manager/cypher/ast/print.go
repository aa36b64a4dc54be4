package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// Print writes an expression in one form.
func Print(e Expr) string {
	var p printer
	p.child = func(e Expr) string { return p.print(e) }
	return p.print(e)
}

// PrintRel writes a relationship of a pattern.
func PrintRel(r *RelPattern) string { return printer{Print}.rel(r) }

// printer writes one expression; how its parts are written is another's matter.
type printer struct{ child func(Expr) string }

func (p printer) print(e Expr) string {
	switch e := e.(type) {
	case *Literal:
		return literal(e.Value)
	case *Param:
		return "$" + e.Name
	case *Variable:
		return e.Name
	case *Property:
		return p.operand(e.X) + "." + e.Key
	case *Index:
		return p.operand(e.X) + "[" + p.child(e.I) + "]"
	case *Slice:
		return p.operand(e.X) + "[" + p.maybe("", e.From) + ".." + p.maybe("", e.To) + "]"
	case *Unary:
		if _, plain := e.X.(*Literal); plain { // a sign right before a number would be its own
			return e.Op + " (" + p.child(e.X) + ")"
		}
		return e.Op + " " + p.operand(e.X)
	case *Binary:
		return p.operand(e.L) + " " + e.Op + " " + p.operand(e.R)
	case *Compare:
		var b strings.Builder
		b.WriteString(p.operand(e.First))
		for i, op := range e.Ops {
			b.WriteString(" " + op + " " + p.operand(e.Rest[i]))
		}
		return b.String()
	case *IsNull:
		if e.Not {
			return p.operand(e.X) + " IS NOT NULL"
		}
		return p.operand(e.X) + " IS NULL"
	case *HasLabels:
		return p.operand(e.X) + labels(e.Labels, e.Is)
	}
	return p.form(e)
}

// operand puts brackets around what has an operator.
func (p printer) operand(e Expr) string {
	switch e.(type) {
	case *Unary, *Binary, *Compare, *IsNull, *HasLabels:
		return "(" + p.child(e) + ")"
	}
	return p.child(e)
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(v) + "'"
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eIN") {
			s += ".0" // else it would be an integer
		}
		return s
	}
	return fmt.Sprint(v)
}

// maybe prints what may be missing behind a word.
func (p printer) maybe(word string, e Expr) string {
	if e == nil {
		return ""
	}
	return word + p.child(e)
}

func (p printer) list(list []Expr) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = p.child(e)
	}
	return strings.Join(texts, ", ")
}

// printForm prints what is no operator.
func (p printer) form(e Expr) string {
	switch e := e.(type) {
	case *ListLit:
		return "[" + p.list(e.Items) + "]"
	case *MapLit:
		parts := make([]string, len(e.Keys))
		for i, k := range e.Keys {
			parts[i] = k + ": " + p.child(e.Values[i])
		}
		if e.All {
			parts = append(parts, ".*")
		}
		return p.maybe("", e.Of) + "{" + strings.Join(parts, ", ") + "}"
	case *Call:
		return p.call(e)
	case *Case:
		s := "CASE" + p.maybe(" ", e.Subject)
		for i, w := range e.When {
			s += " WHEN " + p.child(w) + " THEN " + p.child(e.Then[i])
		}
		return s + p.maybe(" ELSE ", e.Else) + " END"
	case *ListComp:
		return "[" + e.Var + " IN " + p.child(e.List) + p.maybe(" WHERE ", e.Where) + p.maybe(" | ", e.Map) + "]"
	case *PatternComp:
		return "[" + p.pattern(e.Pattern) + p.maybe(" WHERE ", e.Where) + p.maybe(" | ", e.Map) + "]"
	case *Quantifier:
		return e.Kind + "(" + e.Var + " IN " + p.child(e.List) + p.maybe(" WHERE ", e.Where) + ")"
	case *Reduce:
		return "reduce(" + e.Acc + " = " + p.child(e.Init) + ", " + e.Var + " IN " + p.child(e.List) + " | " + p.child(e.Step) + ")"
	case *Exists:
		if e.Called {
			return "exists(" + p.pattern(e.Match.Patterns[0]) + ")"
		}
		if e.Pattern {
			return p.pattern(e.Match.Patterns[0])
		}
		word := "EXISTS"
		if e.Count {
			word = "COUNT"
		}
		return fmt.Sprintf("%s { %d:%d }", word, e.At.Line, e.At.Column)
	}
	return fmt.Sprintf("%T", e)
}

func (p printer) call(e *Call) string {
	switch {
	case e.Star:
		return strings.ToLower(e.Name) + "(*)"
	case e.Distinct:
		return strings.ToLower(e.Name) + "(DISTINCT " + p.list(e.Args) + ")"
	}
	return strings.ToLower(e.Name) + "(" + p.list(e.Args) + ")"
}

func (p printer) pattern(x *Pattern) string {
	s := ""
	if x.Path != "" {
		s = x.Path + " = "
	}
	for i, n := range x.Nodes {
		s += p.node(n)
		if i < len(x.Rels) {
			s += p.rel(x.Rels[i])
		}
	}
	switch {
	case x.All:
		return "allShortestPaths(" + s + ")"
	case x.Shortest:
		return "shortestPath(" + s + ")"
	}
	return s
}

func (p printer) node(n *NodePattern) string {
	return "(" + n.Name + labels(n.Labels, n.Is) + p.maybe(" ", n.Props) + p.maybe(" WHERE ", n.Where) + ")"
}

// labels writes a condition on labels, in either form.
func labels(names []string, is *Labels) string {
	if is != nil {
		return ":" + is.print()
	}
	s := ""
	for _, l := range names {
		s += ":" + l
	}
	return s
}

func (l *Labels) print() string {
	parts := make([]string, len(l.Of))
	for i, part := range l.Of {
		if parts[i] = part.print(); part.Of != nil {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	switch l.Op {
	case "":
		return l.Name
	case "&", "|":
		return strings.Join(parts, l.Op)
	}
	return l.Op + strings.Join(parts, "")
}

func (p printer) rel(r *RelPattern) string {
	s := r.Name
	if r.Types != nil {
		s += ":" + strings.Join(r.Types, "|")
	}
	s += labels(nil, r.Is)
	if r.Var {
		s += "*" + strconv.Itoa(r.Min) + ".."
		if r.Max >= 0 {
			s += strconv.Itoa(r.Max)
		}
	}
	s += p.maybe(" ", r.Props) + p.maybe(" WHERE ", r.Where)
	if s != "" {
		s = "[" + s + "]"
	}
	switch r.Dir {
	case Left:
		return "<-" + s + "-"
	case Right:
		return "-" + s + "->"
	}
	return "-" + s + "-"
}
