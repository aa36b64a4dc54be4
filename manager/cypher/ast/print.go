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
		return p.operand(e.X) + ":" + strings.Join(e.Labels, ":")
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
		return "{" + strings.Join(parts, ", ") + "}"
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
		return fmt.Sprintf("EXISTS { %d:%d }", e.At.Line, e.At.Column)
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
	s := n.Name
	for _, l := range n.Labels {
		s += ":" + l
	}
	return "(" + s + p.maybe(" ", n.Props) + ")"
}

func (p printer) rel(r *RelPattern) string {
	s := r.Name
	for i, t := range r.Types {
		if i == 0 {
			s += ":" + t
		} else {
			s += "|" + t
		}
	}
	if r.Var {
		s += "*" + strconv.Itoa(r.Min) + ".."
		if r.Max >= 0 {
			s += strconv.Itoa(r.Max)
		}
	}
	s += p.maybe(" ", r.Props)
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
