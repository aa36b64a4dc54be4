package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cassini/manager/audit"
	"cassini/manager/enroll"
	"cassini/model"
)

// newAudited is a manager with TLS that keeps an audit log.
func newAudited(t *testing.T) (*guarded, *audit.Log) {
	t.Helper()
	g := newGuarded(t)
	l, err := audit.Open(audit.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	cfg := config(g.b)
	cfg.Enroll, cfg.Audit = g.a, l
	cfg.Reload = func() (model.Reloaded, error) { return model.Reloaded{Applied: []string{"log-level"}}, nil }
	g.h = New(cfg)
	return g, l
}

// newest are entries in short, the newest first.
func newest(t *testing.T, l *audit.Log, n int) string {
	t.Helper()
	list, err := l.List(audit.Filter{Limit: n})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range list {
		who, _, _ := strings.Cut(e.Who, " ")
		lines = append(lines, fmt.Sprintf("%s %s %s %s %d", who, e.Action, e.Target, e.Result, e.Status))
	}
	return strings.Join(lines, "; ")
}

func TestAuditOfChanges(t *testing.T) {
	g, l := newAudited(t)
	admin, operator, viewer := g.token(enroll.TokenRequest{Role: enroll.RoleAdmin}), g.token(enroll.TokenRequest{Role: enroll.RoleOperator}), g.token(enroll.TokenRequest{Role: enroll.RoleViewer})
	agent := g.agent("web-17")
	if got := newest(t, l, 1); !strings.HasPrefix(got, "token host.join web-17 done 200") {
		t.Errorf("join: %s", got)
	}
	for _, c := range []struct {
		who          func(*http.Request)
		path, body   string
		want, detail string
	}{
		{admin, "/api/v1/tokens", `{"role":"viewer","label":"grafana"}`, "admin token.create ", "role viewer, label grafana, until "},
		{viewer, "/api/v1/tokens", `{"role":"admin"}`, "viewer token.create  refused 403", ""},
		{admin, "/api/v1/tokens/revoke", `{"id":"nothing"}`, "admin token.revoke nothing refused 404", ""},
		{admin, "/api/v1/enroll/revoke", `{"host":"web-17"}`, "admin host.revoke web-17 done 200", ""},
		{operator, "/api/v1/rings/rotate", ``, "operator rings.rotate  done 204", ""},
		{operator, "/api/v1/silences", `{"subject":"web-*","until":"2027-01-01T00:00:00Z","why":"work"}`, "operator silence.create s1 done 200", `of "web-*", kind "", severity "" until 2027-01-01T00:00:00Z: work`},
		{operator, "/api/v1/silences/end", `{"id":"s1"}`, "operator silence.end s1 done 200", ""},
		{operator, "/api/v1/incidents/ack", `{"incident":"i1","why":"mine"}`, "operator incident.ack i1 refused 404", "mine"},
		{admin, "/-/reload", ``, "admin config.reload  done 200", "log-level"},
		{func(*http.Request) {}, "/-/reload", ``, "unknown config.reload  refused 401", ""},
		{agent, "/api/v1/documents", `{"host":"db-1","documents":[]}`, "unknown documents.deliver  refused 401", ""}, // it was revoked
	} {
		do(g.h, "POST", c.path, c.body, c.who)
		list, err := l.List(audit.Filter{Limit: 1})
		if err != nil || len(list) == 0 {
			t.Fatal(err)
		}
		if got := newest(t, l, 1); !strings.HasPrefix(got, c.want) || !strings.HasPrefix(list[0].Detail, c.detail) || list[0].From != "192.0.2.1:1234" || (list[0].Result != audit.Done) != (list[0].Why != "") {
			t.Errorf("%s: got %q, want %q: %+v", c.path, got, c.want, list[0])
		}
	}
	list, _ := l.List(audit.Filter{})
	if text := fmt.Sprint(list); strings.Contains(text, "cassini_viewer_") || strings.Contains(text, "cassini_agent_") {
		t.Errorf("a token's secret stands in %s", text)
	}
}

func TestWhatIsNotAudited(t *testing.T) {
	g, l := newAudited(t)
	agent, viewer := g.agent("web-17"), g.token(enroll.TokenRequest{Role: enroll.RoleViewer})
	before := l.Stats().Entries
	do(g.h, "POST", "/api/v1/documents", `{"host":"web-17","documents":[]}`, agent)
	do(g.h, "GET", "/api/v1/services", "", viewer)
	do(g.h, "POST", "/api/v1/query", `{"query":"RETURN 1"}`, viewer)
	if n := l.Stats().Entries; n != before {
		t.Errorf("%d entries more: %s", n-before, newest(t, l, 3))
	}
	do(g.h, "POST", "/api/v1/documents", `{"host":"db-1","documents":[]}`, agent)
	if got := newest(t, l, 1); got != "agent documents.deliver  refused 403" {
		t.Errorf("an agent that claims another's name: %s", got)
	}
}

func TestAuditIsForAdmins(t *testing.T) {
	g, l := newAudited(t)
	admin, operator := g.token(enroll.TokenRequest{Role: enroll.RoleAdmin}), g.token(enroll.TokenRequest{Role: enroll.RoleOperator})
	do(g.h, "POST", "/api/v1/rings/rotate", "", operator)
	wantProblem(t, do(g.h, "GET", "/api/v1/audit", "", operator), http.StatusForbidden, "this is for role admin")
	if got := newest(t, l, 1); got != "operator audit.list  refused 403" {
		t.Errorf("got %s", got)
	}
	w := do(g.h, "GET", "/api/v1/audit?action=rings.rotate&result=done&since=2026-01-01T00:00:00Z", "", admin)
	var list []audit.Entry
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Who, "operator (token ") {
		t.Errorf("%v: %s", err, w.Body)
	}
	wantProblem(t, do(g.h, "GET", "/api/v1/audit?action=nonsense", "", admin), http.StatusBadRequest, "want one of")
}

// TestAuditOnLoopback: where nobody is asked who they are, the address has to do.
func TestAuditOnLoopback(t *testing.T) {
	l, err := audit.Open(audit.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := newBackend()
	cfg := config(b)
	cfg.Audit = l
	b.err = errors.New("the disk is full")
	local := func(r *http.Request) { r.RemoteAddr = "127.0.0.1:5" }
	do(New(cfg), "POST", "/api/v1/silences/end", `{"id":"s1"}`, local)
	if got := newest(t, l, 1); got != "loopback silence.end s1 failed 503" {
		t.Errorf("got %s", got)
	}
}
