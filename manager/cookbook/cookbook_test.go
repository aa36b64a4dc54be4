package cookbook

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"cassini/manager/cypher"
	"cassini/manager/cypher/memory"
	"cassini/manager/cypher/value"
	"cassini/manager/cypher/world"
	"cassini/manager/graph"
	"cassini/manager/sqlitefile/sqlitefiletest"
)

var update = flag.Bool("update", false, "write the answers into docs/queries.md")

const document = "../../docs/queries.md"

// enough questions for a cookbook.
const enough = 40

// TestCookbook runs every query of docs/queries.md and wants the answer that stands
// behind it.
func TestCookbook(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	estate := newEstate(t)
	whole := estate.Graph(graph.GraphFilter{})
	w, db := world.Of(whole), sqlitefiletest.Open(t, whole)
	examples := regexp.MustCompile("(?s)```(cypher|sql|sh)\n(.*?)```\n```\n(.*?)```\n")
	count := 0
	written := examples.ReplaceAllStringFunc(string(text), func(example string) string {
		parts := examples.FindStringSubmatch(example)
		count++
		var got string
		switch parts[1] {
		case "sql":
			got = rows(t, db, parts[2])
		case "sh":
			got = grouped(t, estate, parts[2])
		default:
			got = answer(t, w, parts[2])
		}
		if got != parts[3] && !*update {
			t.Errorf("%sanswers\n%swant\n%s", parts[2], got, parts[3])
		}
		if strings.Count(got, "\n") < 2 {
			t.Errorf("%sanswers nothing", parts[2])
		}
		return "```" + parts[1] + "\n" + parts[2] + "```\n```\n" + got + "```\n"
	})
	if count < enough {
		t.Errorf("only %d questions", count)
	}
	if *update {
		if err := os.WriteFile(document, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func answer(t *testing.T, w *memory.Graph, text string) string {
	t.Helper()
	q, err := cypher.Compile(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	result, err := q.Run(t.Context(), w, cypher.Options{})
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	return table(result.Columns, result.Rows, value.Text)
}

// table writes an answer with a line for each row; nothing stands for null.
func table[T any](columns []string, rows [][]T, text func(T) string) string {
	lines := []string{strings.Join(columns, " | ")}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, v := range row {
			if any(v) != nil {
				cells[i] = text(v)
			}
		}
		lines = append(lines, strings.TrimRight(strings.Join(cells, " | "), " "))
	}
	return strings.Join(lines, "\n") + "\n"
}
