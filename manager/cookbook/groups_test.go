package cookbook

import (
	"encoding/csv"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/manager/groups"
)

// grouped does what 'cassini groups -o csv' does, which writes what the manager folds.
func grouped(t *testing.T, g *graph.Graph, line string) string {
	t.Helper()
	args, ok := strings.CutPrefix(strings.TrimSpace(line), "cassini groups ")
	flags := flag.NewFlagSet("groups", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	by, sort, format := flags.String("by", "executable", ""), flags.String("sort", groups.SortState, ""), flags.String("o", "table", "")
	words := strings.Fields(args)
	name := ""
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		name, words = words[0], words[1:]
	}
	if err := flags.Parse(words); !ok || err != nil || *format != "csv" {
		t.Errorf("%q is not understood: %v", line, err)
		return ""
	}
	facts := g.Grouping(*by, "", nil)
	var columns []string
	var rows [][]string
	if name == "" {
		list := groups.Fold(*by, groups.Facts{}, facts, time.Time{})
		groups.Sort(list, *sort)
		columns, rows = groups.Rows(list)
	} else {
		name, _ = groups.Find(name, facts)
		one, _ := groups.One(*by, name, groups.Facts{}, facts, time.Time{}, 100)
		columns, rows = groups.MemberRows(one)
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.WriteAll(append([][]string{columns}, rows...)); err != nil {
		t.Error(err)
	}
	return b.String()
}
