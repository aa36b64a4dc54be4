package cookbook

import (
	"database/sql"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"cassini/manager/sqlitefile/sqlitefiletest"
)

// rows asks in SQL and writes the answer as answer does.
func rows(t *testing.T, db *sql.DB, text string) string {
	t.Helper()
	columns, list, err := sqlitefiletest.Ask(t.Context(), db, text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	return table(columns, list, func(v any) string { return fmt.Sprint(v) })
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
