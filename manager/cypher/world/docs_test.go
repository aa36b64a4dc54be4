package world

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cassini/manager/cypher"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/value"
	"cassini/model"
)

var update = flag.Bool("update", false, "write the answers into docs/cypher.md")

const document = "../../../docs/cypher.md"

// documented is the estate of which docs/cypher.md speaks.
func documented() model.Graph {
	hour := func(h int) time.Time { return time.Date(2026, 11, 20, h, 0, 0, 0, time.UTC) }
	edge := func(kind, from, to string, attrs model.Attrs) model.Edge {
		return model.Edge{ID: model.EdgeID(kind, from, to), Kind: kind, From: from, To: to, Attrs: attrs}
	}
	nginx, postgres := "service:web-17/nginx:443", "service:db-3/postgres:5432"
	web, db := "process:web-17/usr/sbin/nginx", "process:db-3/usr/bin/postgres"
	return model.Graph{
		Nodes: []model.Node{
			{ID: "host:web-17", Kind: model.KindHost, Attrs: model.Attrs{"name": "web-17"}},
			{ID: "host:db-3", Kind: model.KindHost, Attrs: model.Attrs{"name": "db-3"}},
			{ID: nginx, Kind: model.KindService, Attrs: model.Attrs{"program": "nginx", "port": uint16(443), "state": "listening", "since": hour(19)}},
			{ID: postgres, Kind: model.KindService, Attrs: model.Attrs{"program": "postgres", "port": uint16(5432), "state": "listening", "since": hour(12)}},
			{ID: web, Kind: model.KindProcess, Attrs: model.Attrs{"host": "web-17"}},
			{ID: db, Kind: model.KindProcess, Attrs: model.Attrs{"host": "db-3"}},
			{ID: "unknown-host:10.0.0.9", Kind: model.KindUnknownHost, Attrs: model.Attrs{"addr": "10.0.0.9"}},
		},
		Edges: []model.Edge{
			edge(model.EdgeRuns, "host:web-17", nginx, nil), edge(model.EdgeRuns, "host:db-3", postgres, nil),
			edge(model.EdgeRunsAs, nginx, web, nil), edge(model.EdgeRunsAs, postgres, db, nil),
			edge(model.EdgeDependsOn, web, postgres, model.Attrs{"connections": uint64(7), "failed": uint64(2)}),
			edge(model.EdgeDependsOn, "unknown-host:10.0.0.9", nginx, model.Attrs{"connections": uint64(3), "failed": uint64(0)}),
		},
	}
}

// TestDocumentation runs every query of docs/cypher.md and wants the answer that
// stands behind it.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```cypher\n(.*?)```\n```\n(.*?)```\n")
	count := 0
	written := examples.ReplaceAllStringFunc(string(text), func(example string) string {
		parts := examples.FindStringSubmatch(example)
		count++
		got := answer(t, parts[1])
		if got != parts[2] && !*update {
			t.Errorf("%sanswers\n%swant\n%s", parts[1], got, parts[2])
		}
		return "```cypher\n" + parts[1] + "```\n```\n" + got + "```\n"
	})
	if count < 8 {
		t.Errorf("only %d examples", count)
	}
	if *update {
		if err := os.WriteFile(document, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range functions.Names() {
		short := name[strings.LastIndex(name, ".")+1:]
		if short = strings.TrimSuffix(short, "OrNull"); !strings.Contains(string(text), short+"`") {
			t.Errorf("%s() is not in %s", name, document)
		}
	}
}

func answer(t *testing.T, text string) string {
	t.Helper()
	q, err := cypher.Compile(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	result, err := q.Run(t.Context(), Of(documented()), cypher.Options{})
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	lines := []string{strings.Join(result.Columns, " | ")}
	for _, row := range result.Rows {
		var cells []string
		for _, v := range row {
			cell := ""
			if v != nil {
				cell = value.Text(v)
			}
			cells = append(cells, cell)
		}
		lines = append(lines, strings.TrimRight(strings.Join(cells, " | "), " "))
	}
	return strings.Join(lines, "\n") + "\n"
}
