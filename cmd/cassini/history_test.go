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

// The history of a program is that of its services too, each event once, in order, the latest.
func TestHistoryOfAProgram(t *testing.T) {
	const program, service, other = "process:a/usr/sbin/nginx@nginx.service", "service:a/nginx:80", "service:a/cache:81"
	event := func(id, what string) model.Event {
		return model.Event{ID: id, Time: time.Unix(1, 0), Kind: model.EventServiceStarted, Host: "a", Node: service, Summary: what}
	}
	told := map[string][]model.Event{
		program: {event("2", "dials"), event("4", "both")},
		service: {event("1", "begins"), event("4", "both"), event("5", "ends")},
		other:   {event("3", "another's")},
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /api/v1/node", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, model.Graph{Edges: []model.Edge{
			{Kind: model.EdgeRunsAs, From: service, To: program},
			{Kind: model.EdgeDependsOn, From: program, To: other},
		}})
	})
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) { answer(w, told[r.URL.Query().Get("node")]) })
	api := httptest.NewServer(mux)
	defer api.Close()
	for flags, want := range map[string]string{
		"":           "begins dials both ends",
		" --limit 2": "both ends",
	} {
		got := cassini(t, map[string]string{"CASSINI_API": api.URL}, strings.Fields("history "+program+flags)...)
		var said []string
		for line := range strings.Lines(got.stdout) {
			said = append(said, line[strings.LastIndex(strings.TrimSpace(line), " ")+1:])
		}
		if all := strings.Join(strings.Fields(strings.Join(said, " ")), " "); all != want {
			t.Errorf("history%s: %q, want %q (%s%s)", flags, all, want, got.stdout, got.stderr)
		}
	}
}
