package sqlitefile_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cassini/manager/sqlitefile"
	"cassini/manager/sqlitefile/sqlitefiletest"
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

// ask answers a query with a line for each row.
func ask(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	_, rows, err := sqlitefiletest.Ask(t.Context(), db, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	lines := make([]string, 0, len(rows))
	for _, values := range rows {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	return strings.Join(lines, "\n")
}

func TestWrite(t *testing.T) {
	db := sqlitefiletest.Open(t, sample())
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
	if got := ask(t, sqlitefiletest.Open(t, model.Graph{}), "SELECT count(*) FROM dependencies"); got != "0" {
		t.Errorf("an empty graph has %s dependencies", got)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sqlitefile.Write(ctx, sample()); err == nil {
		t.Error("no error")
	}
}
