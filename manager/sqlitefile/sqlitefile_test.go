package sqlitefile

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cassini/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sample() model.Graph {
	evil := `a'"); DROP TABLE nodes;--` + "\n"
	return model.Graph{
		Nodes: []model.Node{
			{ID: "host:a", Kind: "host", Attrs: model.Attrs{"name": "a", "kernel": "6.1", "id": "no", "KERNEL": "twice", evil: 1}},
			{ID: "host:" + evil, Kind: "host", Attrs: model.Attrs{"name": evil}},
			{ID: "interface:a/eth0", Kind: "interface", Attrs: model.Attrs{"host": "a", "name": "eth0", "carrier": true, "kind": "device", "addresses": []string{"10.0.0.1/24"}}},
			{ID: "process:a/x", Kind: "process", Attrs: model.Attrs{"host": "a"}},
			{ID: "service:a/y:1", Kind: "service", Attrs: model.Attrs{"host": "a", "port": 1}},
			{ID: "switchport:c/1", Kind: "switchport", Attrs: model.Attrs{"port": "1", "switch": "switch:c", "switch_name": "core"}},
			{ID: "thing:1", Kind: "thing'\"", Attrs: nil},
		},
		Edges: []model.Edge{
			{ID: "1", Kind: "depends_on", From: "process:a/x", To: "service:a/y:1", Attrs: model.Attrs{"connections": uint64(7), "client": "no"}},
			{ID: "2", Kind: "wired_to", From: "interface:a/eth0", To: "switchport:c/1"},
		},
	}
}

// open writes a graph and opens the file.
func open(t *testing.T, g model.Graph) *sql.DB {
	t.Helper()
	file, err := Write(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "graph.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// ask answers a query with a line for each row.
func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return strings.Join(lines, "\n")
}

func TestWrite(t *testing.T) {
	db := open(t, sample())
	for query, want := range map[string]string{
		"SELECT count(*) FROM nodes":                                                       "7",
		"SELECT name, host FROM nodes WHERE id = 'host:a'":                                 "a a",
		"SELECT KERNEL FROM hosts WHERE name = 'a'":                                        "twice",
		"SELECT name, carrier, kind, json_extract(addresses, '$[0]') FROM interfaces":      "eth0 1 device 10.0.0.1/24",
		"SELECT client, server, client_host, server_host, connections FROM dependencies":   "process:a/x service:a/y:1 a a 7",
		"SELECT host, interface, switch, port FROM cables":                                 "a eth0 core 1",
		"SELECT count(*) FROM rings":                                                       "0",
		"SELECT name FROM switches":                                                        "",
		`SELECT id FROM "thing'""s"`:                                                       "thing:1",
		"PRAGMA user_version":                                                              "1",
		"PRAGMA integrity_check":                                                           "ok",
		"EXPLAIN QUERY PLAN SELECT target FROM edges WHERE source = 'x' AND kind = 'runs'": "",
	} {
		got := ask(t, db, query)
		if strings.HasPrefix(query, "EXPLAIN") {
			if !strings.Contains(got, "COVERING INDEX edges_by_source") {
				t.Errorf("%s: %s", query, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	if got := ask(t, open(t, model.Graph{}), "SELECT count(*) FROM dependencies"); got != "0" {
		t.Errorf("an empty graph has %s dependencies", got)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, sample()); err == nil {
		t.Error("no error")
	}
}
