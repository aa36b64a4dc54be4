package tck

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/manager/cypher"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"

	messages "github.com/cucumber/messages/go/v21"
)

// world is what one scenario has built and asked so far.
type world struct {
	dir    string // with the named graphs
	graph  fixture
	params map[string]any
	result cypher.Result
	err    error
	asked  bool
}

// play runs a scenario; the error says what is not as it should be.
func play(t *testing.T, dir string, s scenario) (err error) {
	w := &world{dir: dir, params: map[string]any{}}
	for _, step := range s.steps {
		if err := w.step(t, step); err != nil {
			return fmt.Errorf("%s: %w", step.Text, err)
		}
	}
	if !w.asked {
		return errors.New("nothing was asked")
	}
	return nil
}

func (w *world) step(t *testing.T, step *messages.PickleStep) error {
	text := step.Text
	switch {
	case text == "an empty graph" || text == "any graph":
		return nil
	case strings.HasPrefix(text, "the ") && strings.HasSuffix(text, " graph"):
		return w.named(strings.Fields(text)[1])
	case text == "having executed:":
		return w.graph.execute(step.Argument.DocString.Content)
	case text == "parameters are:":
		return w.parameters(table(step))
	case text == "executing query:" || text == "executing control query:":
		w.asked = true
		w.ask(t.Context(), step.Argument.DocString.Content)
		return nil
	case strings.HasPrefix(text, "the result should be"):
		return w.compare(table(step), strings.Contains(text, "in order"), strings.Contains(text, "ignoring element order"))
	case strings.Contains(text, "should be raised at"):
		return w.failed(text)
	case text == "no side effects":
		return nil
	case text == "the side effects should be:":
		return errors.New("the engine has no side effects")
	}
	return errors.New("unknown step")
}

func table(step *messages.PickleStep) (rows [][]string) {
	if step.Argument == nil || step.Argument.DataTable == nil {
		return nil
	}
	for _, r := range step.Argument.DataTable.Rows {
		var row []string
		for _, c := range r.Cells {
			row = append(row, c.Value)
		}
		rows = append(rows, row)
	}
	return rows
}

func (w *world) ask(ctx context.Context, text string) {
	q, err := cypher.Compile(text)
	if err != nil {
		w.err = err
		return
	}
	w.result, w.err = q.Run(ctx, w.graph.build(), cypher.Options{Params: w.params})
}

func (w *world) parameters(rows [][]string) error {
	for _, row := range rows {
		v, err := read(row[1])
		if err != nil {
			return err
		}
		w.params[row[0]] = v
	}
	return nil
}

// failed wants an error of a kind, at a time, with a code.
func (w *world) failed(text string) error {
	f := strings.Fields(text) // a KIND should be raised at TIME: CODE
	kind, code := f[1], f[len(f)-1]
	if w.err == nil {
		return fmt.Errorf("there was no error but %d rows", len(w.result.Rows))
	}
	e, ok := errors.AsType[*issue.Error](w.err)
	if !ok {
		return fmt.Errorf("not an error of a query: %w", w.err)
	}
	early, late := strings.Contains(text, "at compile time"), strings.Contains(text, "at runtime")
	if string(e.Kind) != kind || code != "*" && e.Code != code || e.Runtime && early || !e.Runtime && late {
		return fmt.Errorf("another error (runtime %v): %w", e.Runtime, e)
	}
	return nil
}

// compare wants rows; in any order unless ordered, and with lists in any order if
// loose.
func (w *world) compare(want [][]string, ordered, loose bool) error {
	if w.err != nil {
		return w.err
	}
	if len(want) > 0 && !slices.Equal(w.result.Columns, want[0]) {
		return fmt.Errorf("columns are %q, want %q", w.result.Columns, want[0])
	}
	var expected, got []string
	for _, row := range want[min(1, len(want)):] {
		var cells []string
		for _, text := range row {
			v, err := read(text)
			if err != nil {
				return fmt.Errorf("cell %q: %w", text, err)
			}
			cells = append(cells, canonical(v, loose))
		}
		expected = append(expected, strings.Join(cells, " | "))
	}
	for _, row := range w.result.Rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, canonical(v, loose))
		}
		got = append(got, strings.Join(cells, " | "))
	}
	if !ordered {
		slices.Sort(expected)
		slices.Sort(got)
	}
	if !slices.Equal(expected, got) {
		return fmt.Errorf("rows are\n    %s\nwant\n    %s", strings.Join(got, "\n    "), strings.Join(expected, "\n    "))
	}
	return nil
}

// canonical writes a value so that labels stand in order, and lists too if loose.
func canonical(v value.Value, loose bool) string {
	switch v := v.(type) {
	case value.List:
		items := make([]string, len(v))
		for i, e := range v {
			items[i] = canonical(e, loose)
		}
		if loose {
			slices.Sort(items)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case value.Map:
		var items []string
		for _, name := range value.Names(v) {
			if v[name] != nil || !loose {
				items = append(items, name+": "+canonical(v[name], loose))
			}
		}
		return "{" + strings.Join(items, ", ") + "}"
	case *value.Node:
		labels := slices.Sorted(slices.Values(v.Labels))
		return "(:" + strings.Join(labels, ":") + " " + canonical(orEmpty(v.Properties()), loose) + ")"
	case *value.Relationship:
		return "[:" + v.Type + " " + canonical(orEmpty(v.Properties()), loose) + "]"
	case *value.Path:
		s := "<" + canonical(v.Nodes[0], loose)
		for i, r := range v.Relationships {
			arrow := "->"
			if r.Start.ID != v.Nodes[i].ID {
				arrow = "<-"
			}
			s += arrow + canonical(r, loose) + canonical(v.Nodes[i+1], loose)
		}
		return s + ">"
	}
	if f, ok := v.(float64); ok && f == 0 {
		return "0.0" // so is -0.0: they are equal
	}
	return value.Format(v)
}

func orEmpty(m value.Map) value.Map {
	if m == nil {
		return value.Map{}
	}
	return m
}
