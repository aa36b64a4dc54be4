package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// Print writes an expression in one form, so that two expressions that say the
// same have the same text.
func Print(e Expr) string {
	switch e := e.(type) {
	case *Literal:
		return literal(e.Value)
	case *Param:
		return "$" + e.Name
	case *Variable:
		return e.Name
	case *Property:
		return operand(e.X) + "." + e.Key
	case *Index:
		return operand(e.X) + "[" + Print(e.I) + "]"
	case *Slice:
		return operand(e.X) + "[" + maybe("", e.From) + ".." + maybe("", e.To) + "]"
	case *Unary:
		if _, plain := e.X.(*Literal); plain { // a sign right before a number would be its own
			return e.Op + " (" + Print(e.X) + ")"
		}
		return e.Op + " " + operand(e.X)
	case *Binary:
		return operand(e.L) + " " + e.Op + " " + operand(e.R)
	case *Compare:
		s := operand(e.First)
		for i, op := range e.Ops {
			s += " " + op + " " + operand(e.Rest[i])
		}
		return s
	case *IsNull:
		if e.Not {
			return operand(e.X) + " IS NOT NULL"
		}
		return operand(e.X) + " IS NULL"
	case *HasLabels:
		return operand(e.X) + ":" + strings.Join(e.Labels, ":")
	}
	return printForm(e)
}

// operand puts brackets around what has an operator.
func operand(e Expr) string {
	switch e.(type) {
	case *Unary, *Binary, *Compare, *IsNull, *HasLabels:
		return "(" + Print(e) + ")"
	}
	return Print(e)
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
func maybe(word string, e Expr) string {
	if e == nil {
		return ""
	}
	return word + Print(e)
}

func printList(list []Expr) string {
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = Print(e)
	}
	return strings.Join(texts, ", ")
}

// printForm prints what is no operator.
func printForm(e Expr) string {
	switch e := e.(type) {
	case *ListLit:
		return "[" + printList(e.Items) + "]"
	case *MapLit:
		parts := make([]string, len(e.Keys))
		for i, k := range e.Keys {
			parts[i] = k + ": " + Print(e.Values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *Call:
		return printCall(e)
	case *Case:
		s := "CASE" + maybe(" ", e.Subject)
		for i, w := range e.When {
			s += " WHEN " + Print(w) + " THEN " + Print(e.Then[i])
		}
		return s + maybe(" ELSE ", e.Else) + " END"
	case *ListComp:
		return "[" + e.Var + " IN " + Print(e.List) + maybe(" WHERE ", e.Where) + maybe(" | ", e.Map) + "]"
	case *PatternComp:
		return "[" + PrintPattern(e.Pattern) + maybe(" WHERE ", e.Where) + maybe(" | ", e.Map) + "]"
	case *Quantifier:
		return e.Kind + "(" + e.Var + " IN " + Print(e.List) + maybe(" WHERE ", e.Where) + ")"
	case *Reduce:
		return "reduce(" + e.Acc + " = " + Print(e.Init) + ", " + e.Var + " IN " + Print(e.List) + " | " + Print(e.Step) + ")"
	case *Exists:
		if e.Called {
			return "exists(" + PrintPattern(e.Match.Patterns[0]) + ")"
		}
		if e.Pattern {
			return PrintPattern(e.Match.Patterns[0])
		}
		return fmt.Sprintf("EXISTS { %d:%d }", e.At.Line, e.At.Column)
	}
	return fmt.Sprintf("%T", e)
}

func printCall(e *Call) string {
	switch {
	case e.Star:
		return strings.ToLower(e.Name) + "(*)"
	case e.Distinct:
		return strings.ToLower(e.Name) + "(DISTINCT " + printList(e.Args) + ")"
	}
	return strings.ToLower(e.Name) + "(" + printList(e.Args) + ")"
}

// PrintPattern writes a pattern.
func PrintPattern(p *Pattern) string {
	s := ""
	if p.Path != "" {
		s = p.Path + " = "
	}
	for i, n := range p.Nodes {
		s += printNode(n)
		if i < len(p.Rels) {
			s += PrintRel(p.Rels[i])
		}
	}
	switch {
	case p.All:
		return "allShortestPaths(" + s + ")"
	case p.Shortest:
		return "shortestPath(" + s + ")"
	}
	return s
}

func printNode(n *NodePattern) string {
	s := n.Name
	for _, l := range n.Labels {
		s += ":" + l
	}
	return "(" + s + maybe(" ", n.Props) + ")"
}

// PrintRel writes a relationship of a pattern.
func PrintRel(r *RelPattern) string {
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
	s += maybe(" ", r.Props)
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
