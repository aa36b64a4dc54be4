package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func fixtureGroups() []model.FunctionalGroup {
	return []model.FunctionalGroup{
		{
			By: "executable", Name: "/usr/bin/postgres", State: model.GroupDegraded, Hosts: 3, HostsDown: 1, Services: 2, Ended: 1, Programs: 3, Births: 1, Deaths: 2, Since: now.Add(-24 * time.Hour),
			Oldest: now.Add(-48 * time.Hour), Newest: now.Add(-time.Minute), Clients: 4, Served: model.GroupFigures{Connections: 12345, Failed: 30, Open: 5, BytesSent: 1 << 20},
			DependsOn: []model.GroupLink{{Group: "/usr/bin/postgres", GroupFigures: model.GroupFigures{Connections: 3}}}, DependsOnCount: 1, MemberCount: 3,
		},
		{
			By: "executable", Name: "/usr/sbin/nginx\x1b", State: model.GroupUp, Hosts: 2, Services: 2, Programs: 2, Since: now.Add(-24 * time.Hour), Oldest: now.Add(-time.Hour), Newest: now.Add(-time.Hour),
			Dialled:   model.GroupFigures{Connections: 12345, Failed: 30, Open: 5, BytesReceived: 1 << 20},
			DependsOn: []model.GroupLink{{Group: "/usr/bin/postgres", GroupFigures: model.GroupFigures{Connections: 12340}}, {Group: "", GroupFigures: model.GroupFigures{Connections: 5, Failed: 30}}}, DependsOnCount: 9,
		},
		{By: "executable", State: model.GroupUnknown, DependsOn: []model.GroupLink{}, Since: now.Add(-24 * time.Hour)},
	}
}

func fixtureGroup() model.FunctionalGroup {
	g := fixtureGroups()[0]
	g.UsedBy = []model.GroupLink{{Group: "/usr/sbin/nginx", GroupFigures: model.GroupFigures{Connections: 12340, Failed: 30, Open: 5, BytesSent: 100, BytesReceived: 1 << 20}}}
	g.Members = []model.GroupMember{
		{ID: "service:db-2/postgres:5432", Kind: "service", Host: "db-2", State: "ended", Since: now.Add(-time.Hour), Births: 1, Deaths: 2},
		{ID: "service:db-1/postgres:5432", Kind: "service", Host: "db-1", State: "listening", Since: now.Add(-48 * time.Hour), Served: model.GroupFigures{Connections: 12345, Failed: 30}},
	}
	return g
}

// TestGroups shows each answer in each format, and what was asked for it.
func TestGroups(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = strings.TrimPrefix(r.URL.String(), "/api/v1/")
		w.Header().Set("Content-Type", "application/json")
		var body any = fixtureGroups()
		if r.URL.Path == "/api/v1/group" {
			body = fixtureGroup()
		}
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(server.Close)
	for name, tc := range map[string]struct{ line, asked, stderr string }{
		"groups":      {"groups", "groups?by=executable&limit=101&sort=state", ""},
		"groups.json": {"groups -o json --by unit --sort died --since 1h", "groups?by=unit&limit=101&since=2026-11-20T11%3A00%3A00Z&sort=died", ""},
		"groups.csv":  {"groups -o csv --at 10m --limit 2", "groups?at=2026-11-20T11%3A50%3A00Z&by=executable&limit=3&sort=state", "there are more than 2 groups: see --limit"},
		"group":       {"groups postgres", "group?by=executable&limit=100&name=postgres", "1 of 3 members are not shown: see --limit"},
		"group.json":  {"groups postgres -o json --by image --limit 7", "group?by=image&limit=7&name=postgres", "1 of 3 members"},
		"group.csv":   {"groups postgres -o csv", "group?by=executable&limit=100&name=postgres", "1 of 3 members"},
	} {
		got := cassini(t, map[string]string{"CASSINI_API": server.URL}, strings.Fields(tc.line)...)
		if got.code != 0 || !strings.Contains(got.stderr, tc.stderr) || tc.stderr == "" && got.stderr != "" || asked != tc.asked {
			t.Errorf("%s: exit code %d, stderr %q, asked %q", name, got.code, got.stderr, asked)
		}
		golden(t, name, got.stdout)
	}
	for line, want := range map[string]string{
		"groups --by owner":        "want one of executable, unit, image, namespace, project, label, tenant, subnet, switch, ring; see",
		"groups --sort size":       "want one of state, name, hosts",
		"groups --limit 0":         "--limit must be 1 or more",
		"groups nginx --sort died": "--sort is of many groups, not of one",
		"groups a b":               `unexpected argument "b" after "a"`,
	} {
		got := cassini(t, map[string]string{"CASSINI_API": server.URL}, strings.Fields(line)...)
		if got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, %s", line, got.code, got.stderr)
		}
	}
}
