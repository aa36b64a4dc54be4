package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestHistoryAsksOnce wants one question for a node and what belongs to it.
func TestHistoryAsksOnce(t *testing.T) {
	const program, service, other = "process:a/usr/sbin/nginx@nginx.service", "service:a/nginx:80", "service:a/cache:81"
	const sw, port, card = "switch:00:1b:fc:00:00:0a", "switchport:00:1b:fc:00:00:0a/p1", "interface:a/eth0"
	edges := []model.Edge{
		{Kind: model.EdgeRunsAs, From: service, To: program}, {Kind: model.EdgeDependsOn, From: program, To: other},
		{Kind: model.EdgeHas, From: sw, To: port}, {Kind: model.EdgeWiredTo, From: card, To: port},
	}
	var asked [][]string
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /api/v1/node", func(w http.ResponseWriter, _ *http.Request) { answer(w, model.Graph{Edges: edges}) })
	mux.HandleFunc("GET /api/v1/nodes", func(w http.ResponseWriter, r *http.Request) { answer(w, []model.Node{{ID: r.URL.Query().Get("q")}}) })
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, append(r.URL.Query()["node"], r.URL.Query().Get("since"), r.URL.Query().Get("limit")))
		answer(w, []model.Event{{ID: "1", Kind: model.EventServiceStarted, Host: "a", Node: service, Summary: "begins"}})
	})
	api := httptest.NewServer(mux)
	defer api.Close()
	for line, want := range map[string][]string{
		"history " + program:         {program, service, "0", ""},
		"history --limit 2 " + port:  {port, card, "0", "2"},
		"history " + sw:              {sw, card, "0", ""},
		"history host:a":             {"host:a", "0", ""},
		"history -o json " + service: {service, "0", ""},
	} {
		asked = nil
		got := cassini(t, map[string]string{"CASSINI_API": api.URL}, strings.Fields(line)...)
		if got.code != 0 || len(asked) != 1 || !slices.Equal(asked[0], want) || !strings.Contains(got.stdout, "begins") {
			t.Errorf("%s: asked %q, want %q once (%s%s)", line, asked, want, got.stdout, got.stderr)
		}
	}
}

// TestAnEmptyAnswerAboutAHostThatIsNotThere is no reassurance.
func TestAnEmptyAnswerAboutAHostThatIsNotThere(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/node", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("id") == "host:there" && q.Get("at") == "" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"nodes":[],"edges":[]}`))
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"status":404,"title":"Not Found","detail":"there is no such node"}`))
	})
	mux.HandleFunc("GET /api/v1/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("[]"))
	})
	api := httptest.NewServer(mux)
	defer api.Close()
	for line, want := range map[string]struct {
		code   int
		stderr string
	}{
		"unused":                       {0, "every service has a client\n"},
		"unused --host there":          {0, "every service has a client\n"},
		"unused --host gone":           {1, "cassini unused: no host is called \"gone\"; 'cassini hosts' shows all\n"},
		"exposed --host there --at 1h": {1, "cassini exposed: no host is called \"there\"; 'cassini hosts' shows all\n"},
		"events --host gone":           {1, "cassini events: no host is called \"gone\"; 'cassini hosts' shows all\n"},
		"exposed --host gone -o json":  {0, ""},
	} {
		got := cassini(t, map[string]string{"CASSINI_API": api.URL}, strings.Fields(line)...)
		if got.code != want.code || got.stderr != want.stderr {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
}
