package cookbook

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cassini/manager/sqlitefile"
	"cassini/model"
)

// database is the estate as a file of SQLite.
func database(t *testing.T, g model.Graph) *sql.DB {
	t.Helper()
	file, err := sqlitefile.Write(t.Context(), g)
	path := filepath.Join(t.TempDir(), "estate.db")
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// rows asks in SQL and writes the answer as answer does.
func rows(t *testing.T, db *sql.DB, text string) string {
	t.Helper()
	result, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	defer result.Close()
	names, err := result.Columns()
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{strings.Join(names, " | ")}
	for result.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := result.Scan(into...); err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(values))
		for i, v := range values {
			if v != nil {
				cells[i] = fmt.Sprint(v)
			}
		}
		lines = append(lines, strings.TrimRight(strings.Join(cells, " | "), " "))
	}
	if err := result.Err(); err != nil {
		t.Error(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

// canned are the queries of the Assimilation Project, by the names of their files.
const canned = `CrashedDrones DownDrones FindIPOwners FindMACOwners FindUnonwnedIPs GetAQuery GetAllClassNodes GetAllQueries GetClassRoot
	GetRingMembers GetRootNode GetaNodeById ListDrones ListIPs ShutdownDrones SwitchConnections allhostscores allhostsubgraph allipports allips
	allrulescores allservernetscores allservers allserversecscores allservicestatus allswitchports crashed down downservices findip findmac
	hostdependencies hostipports hostservicestatus hostsubgraph hostswitchports list nodecount nodns nooui sechostscores secrulescores shutdown
	totalscores unknownips unmonitored`

// TestCannedQueries wants every canned query in the table, and every question that the
// table names on the page.
func TestCannedQueries(t *testing.T) {
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	page, table, ok := strings.Cut(string(raw), "## The queries of the Assimilation Project")
	if !ok {
		t.Fatal("the table is not there")
	}
	for _, name := range strings.Fields(canned) {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("%s has no answer", name)
		}
	}
	for _, match := range regexp.MustCompile("`([A-Z][^`]*\\?)`").FindAllStringSubmatch(table, -1) {
		if !strings.Contains(page, "**"+match[1]+"**") {
			t.Errorf("the page does not ask: %s", match[1])
		}
	}
}
