package plan

import (
	"fmt"
	"strings"

	"cassini/manager/cypher/ast"
)

// Step is one operator of a plan for people.
type Step struct {
	Depth    int
	Operator string
	Detail   string
	Rows     float64 // estimated; below zero where nothing is known
}

// Explain lists the operators of a plan in the order in which rows pass through
// them.
func (p Plan) Explain() (steps []Step) {
	for i, part := range p.Parts {
		if i > 0 {
			name := "Union"
			if p.All {
				name = "UnionAll"
			}
			steps = append(steps, Step{Operator: name, Rows: -1})
		}
		steps = append(steps, explain(part.Ops, 0)...)
	}
	return append(steps, Step{Operator: "Result", Detail: strings.Join(p.Columns, ", "), Rows: -1})
}

func explain(ops []Op, depth int) (steps []Step) {
	for _, op := range ops {
		name, detail := op.describe()
		steps = append(steps, Step{depth, name, detail, rows(op)})
		if o, ok := op.(*Optional); ok {
			steps = append(steps, explain(o.Inner, depth+1)...)
		}
	}
	return steps
}

func rows(op Op) float64 {
	switch op := op.(type) {
	case *Scan:
		return op.Rows
	case *Seek:
		return op.Rows
	case *Expand:
		return op.Rows
	case *VarExpand:
		return op.Rows
	}
	return -1
}

func (o *Scan) describe() (string, string) {
	if o.Label == "" {
		return "AllNodes", "(" + o.Name + ")"
	}
	return "NodesByLabel", "(" + o.Name + ":" + o.Label + ")"
}

func (o *Seek) describe() (string, string) {
	label := ""
	if o.Label != "" {
		label = ":" + o.Label
	}
	return "NodesByIndex", fmt.Sprintf("(%s%s {%s: %s})", o.Name, label, o.Property, ast.Print(o.Value.Expr))
}

func (o *Present) describe() (string, string) { return "Argument", "(" + o.Name + ")" }

func (o *Filter) describe() (string, string) { return "Filter", ast.Print(clean(o.Cond.Expr)) }

func (o *Expand) describe() (string, string) {
	if o.Into {
		return "ExpandInto", o.Text
	}
	return "Expand", o.Text
}

func (o *VarExpand) describe() (string, string) { return "ExpandMany", o.Text }

func (o *Retrace) describe() (string, string) { return "Retrace", o.Text }

func (o *Shortest) describe() (string, string) { return "ShortestPath", o.Text }

func (o *Path) describe() (string, string) { return "Path", o.Name }

func (o *Optional) describe() (string, string) { return "Optional", "" }

func (o *Unwind) describe() (string, string) {
	return "Unwind", ast.Print(o.List.Expr) + " AS " + o.Name
}

func (o *Project) describe() (string, string) { return "Project", assigns(o.Items) }

func (o *Aggregate) describe() (string, string) {
	var calls []string
	for _, a := range o.Aggs {
		calls = append(calls, ast.Print(a.Call))
	}
	if o.Keys == nil {
		return "Aggregate", strings.Join(calls, ", ")
	}
	return "Aggregate", strings.Join(calls, ", ") + " BY " + assigns(o.Keys)
}

func (o *Distinct) describe() (string, string) { return "Distinct", "" }

func (o *Sort) describe() (string, string) {
	var keys []string
	for _, k := range o.Keys {
		text := ast.Print(clean(k.Expr))
		if k.Desc {
			text += " DESC"
		}
		keys = append(keys, text)
	}
	if o.Limit != nil {
		return "Top", strings.Join(keys, ", ") + " LIMIT " + ast.Print(o.Limit.Expr)
	}
	return "Sort", strings.Join(keys, ", ")
}

func (o *Skip) describe() (string, string) { return "Skip", ast.Print(o.Count.Expr) }

func (o *Limit) describe() (string, string) { return "Limit", ast.Print(o.Count.Expr) }

func assigns(items []Assign) string {
	var texts []string
	for _, a := range items {
		text := ast.Print(clean(a.Expr))
		if text != a.Name {
			text += " AS " + a.Name
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// clean shows hidden names as "_".
func clean(e ast.Expr) ast.Expr {
	return ast.Rewrite(e, func(e ast.Expr, _ []string) ast.Expr {
		if v, ok := e.(*ast.Variable); ok && visible(v.Name) == "" {
			return &ast.Variable{At: v.At, Name: "_"}
		}
		return nil
	})
}
