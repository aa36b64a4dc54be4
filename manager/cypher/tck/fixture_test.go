package tck

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cassini/manager/cypher"
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/memory"
	"cassini/manager/cypher/parser"
	"cassini/manager/cypher/token"
	"cassini/manager/cypher/value"
)

// fixture is a graph in the making. It understands CREATE and DELETE, and leaves
// what reads in between to the engine.
type fixture struct {
	nodes []*value.Node
	rels  []*value.Relationship
	next  int64
}

// row is the variables of a statement.
type row map[string]value.Value

func (f *fixture) build() *memory.Graph {
	b := memory.NewBuilder(memory.Options{Indexed: []string{"name"}}) // an index where it may be used
	for _, n := range f.nodes {
		b.Node(n)
	}
	for _, r := range f.rels {
		b.Relationship(r)
	}
	return b.Graph()
}

func (w *world) named(name string) error {
	text, err := os.ReadFile(filepath.Join(w.dir, "graphs", name, name+".cypher"))
	if err != nil {
		return err
	}
	return w.graph.execute(string(text))
}

// execute runs a statement clause by clause.
func (f *fixture) execute(text string) error {
	rows := []row{{}}
	clauses, err := split(text)
	if err != nil {
		return err
	}
	for _, c := range clauses {
		word, rest, _ := strings.Cut(strings.TrimSpace(c), " ")
		switch strings.ToUpper(strings.TrimSpace(word)) {
		case "CREATE":
			err = f.create(rest, rows)
		case "DELETE":
			err = f.delete(rest, rows)
		default:
			rows, err = f.read(c, rows)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// split cuts a statement before every CREATE and DELETE, and before a reading
// clause behind one.
func split(text string) (clauses []string, err error) {
	tokens, err := token.Split(text)
	if err != nil {
		return nil, err
	}
	start, writing, depth := 0, false, 0
	for _, t := range tokens {
		word := strings.ToUpper(t.Text)
		switch {
		case t.Kind == token.Symbol && strings.Contains("([{", t.Text):
			depth++
		case t.Kind == token.Symbol && strings.Contains(")]}", t.Text):
			depth--
		}
		write := t.Kind == token.Name && depth == 0 && slices.Contains([]string{"CREATE", "DELETE"}, word)
		read := t.Kind == token.Name && depth == 0 && slices.Contains([]string{"MATCH", "UNWIND", "WITH"}, word)
		if !write && (!read || !writing) && t.Kind != token.EOF && (t.Kind != token.Symbol || t.Text != ";") {
			continue
		}
		if c := strings.TrimSpace(text[start:t.At.Offset]); c != "" && c != ";" {
			clauses = append(clauses, strings.TrimPrefix(c, ";"))
		}
		start, writing = t.At.Offset, write
	}
	return clauses, nil
}

// run asks the engine, with the variables of a row as parameters.
func (f *fixture) run(text string, vars row) (cypher.Result, error) {
	with := []string{}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		with = append(with, fmt.Sprintf("$`%s` AS `%s`", name, name))
	}
	if len(with) > 0 {
		text = "WITH " + strings.Join(with, ", ") + " " + text
	}
	q, err := cypher.Compile(text)
	if err != nil {
		return cypher.Result{}, err
	}
	return q.Run(context.Background(), f.build(), cypher.Options{Params: vars})
}

func (f *fixture) read(clauses string, rows []row) (out []row, err error) {
	for _, vars := range rows {
		result, err := f.run(clauses+" RETURN *", vars)
		if err != nil {
			return nil, err
		}
		for _, values := range result.Rows {
			r := row{}
			for i, name := range result.Columns {
				r[name] = values[i]
			}
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *fixture) delete(names string, rows []row) error {
	gone := map[any]bool{}
	for _, vars := range rows {
		for _, name := range strings.Split(names, ",") {
			gone[vars[strings.TrimSpace(name)]] = true
		}
	}
	f.rels = slices.DeleteFunc(f.rels, func(r *value.Relationship) bool { return gone[r] })
	f.nodes = slices.DeleteFunc(f.nodes, func(n *value.Node) bool { return gone[n] })
	return nil
}

// create makes what the patterns say for every row, and adds its variables.
func (f *fixture) create(patterns string, rows []row) error {
	q, err := parser.Parse("MATCH " + patterns + " RETURN 1")
	if err != nil {
		return err
	}
	for _, vars := range rows {
		for _, p := range q.Parts[0].Clauses[0].(*ast.Match).Patterns {
			if err := f.pattern(p, vars); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fixture) pattern(p *ast.Pattern, vars row) error {
	var nodes []*value.Node
	for _, n := range p.Nodes {
		if known, ok := vars[n.Name].(*value.Node); ok {
			nodes = append(nodes, known)
			continue
		}
		props, err := f.properties(n.Props, vars)
		if err != nil {
			return err
		}
		f.next++
		made := value.NewNode(f.next-1, fmt.Sprint(f.next-1), slices.Compact(slices.Clone(n.Labels)), func() value.Map { return props })
		f.nodes = append(f.nodes, made)
		nodes = append(nodes, made)
		if n.Name != "" {
			vars[n.Name] = made
		}
	}
	for i, r := range p.Rels {
		props, err := f.properties(r.Props, vars)
		if err != nil {
			return err
		}
		start, end := nodes[i], nodes[i+1]
		if r.Dir == ast.Left {
			start, end = end, start
		}
		f.next++
		made := value.NewRelationship(f.next-1, fmt.Sprint(f.next-1), r.Types[0], start, end, func() value.Map { return props })
		f.rels = append(f.rels, made)
		if r.Name != "" {
			vars[r.Name] = made
		}
	}
	return nil
}

func (f *fixture) properties(e ast.Expr, vars row) (value.Map, error) {
	if e == nil {
		return value.Map{}, nil
	}
	result, err := f.run("RETURN "+ast.Print(e)+" AS m", vars)
	if err != nil {
		return nil, err
	}
	m := value.Map{}
	for name, v := range result.Rows[0][0].(value.Map) {
		if v != nil { // a property that is null is none
			m[name] = v
		}
	}
	return m, nil
}
