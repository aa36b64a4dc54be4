package cypher

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"
)

var update = flag.Bool("update", false, "write the answers of testdata/reference.txt anew")

// TestReference asks the queries of testdata/reference.txt, which go through what
// the language's reference describes: a line each, with its rows or its error
// behind ==>. The graph is that of TestLanguage.
func TestReference(t *testing.T) {
	const file = "testdata/reference.txt"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSuffix(line, "\n")
		text, want, asked := strings.Cut(line, " ==> ")
		if !asked {
			out.WriteString(line + "\n")
			continue
		}
		got := answer(t, text)
		if got != want && !*update {
			t.Errorf("%s\n got  %s\n want %s", text, got, want)
		}
		out.WriteString(text + " ==> " + got + "\n")
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// answer is the rows, or what is wrong and where.
func answer(t *testing.T, text string) string {
	query, err := Compile(text)
	var result Result
	if err == nil {
		result, err = query.Run(t.Context(), estate(3, 2), Options{
			Now:    time.Date(2026, 11, 22, 12, 34, 56, 789e6, time.UTC),
			Params: map[string]any{"p": int64(1), "n": nil, "s": "h0", "l": []any{int64(1), int64(2)}, "m": map[string]any{"a": int64(1)}, "f": 1.5},
		})
	}
	if e, ok := errors.AsType[*issue.Error](err); ok {
		when := "compile"
		if e.Runtime {
			when = "run"
		}
		return fmt.Sprintf("%s %s at %s %d:%d", e.Kind, e.Code, when, e.At.Line, e.At.Column)
	}
	if err != nil {
		return err.Error()
	}
	rows := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		rows[i] = value.Format(value.List(row))
	}
	return strings.Join(rows, " ")
}
