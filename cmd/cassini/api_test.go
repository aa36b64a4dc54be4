package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/cmd/cassini/internal/client"
	"cassini/model"
)

// fakeAPI answers as the contract of the API says, from fixed data.
type fakeAPI struct {
	url   string
	mu    sync.Mutex
	asked []string
	// streams is how many event streams were asked for, one after the other.
	streams int
}

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	f := &fakeAPI{}
	mux := http.NewServeMux()
	for path, body := range map[string]any{
		"services": fixtureServices(), "dependencies": fixtureDeps(), "nodes": fixtureGraph().Nodes,
		"node": fixtureGraph(), "graph": fixtureGraph(), "status": fixtureStatus(),
	} {
		mux.HandleFunc("GET /api/v1/"+path, func(w http.ResponseWriter, r *http.Request) { f.answer(w, r, body) })
	}
	mux.HandleFunc("GET /api/v1/events", f.events)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fakeAPI) note(r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, strings.TrimPrefix(r.URL.String(), "/api/v1/"))
}

// last is the latest question.
func (f *fakeAPI) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.asked) == 0 {
		return ""
	}
	return f.asked[len(f.asked)-1]
}

func (f *fakeAPI) answer(w http.ResponseWriter, r *http.Request, body any) {
	f.note(r)
	switch {
	case r.URL.Query().Get("host") == "nowhere":
		body = []any{}
	case r.URL.Query().Get("host") == "bad":
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"title":"Bad Request","status":400,"detail":"unknown host \u001b[31mbad"}`)
		return
	case r.URL.Query().Get("format") == "dot":
		w.Header().Set("Content-Type", "text/vnd.graphviz")
		fmt.Fprint(w, "digraph cassini {}\n")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

func (f *fakeAPI) events(w http.ResponseWriter, r *http.Request) {
	f.note(r)
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(fixtureEvents())
		return
	}
	if f.streams++; f.streams > 1 { // the first stream ended; this is the next
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"detail":"resumed from `+r.Header.Get("Last-Event-ID")+`"}`)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, "retry: 1\n\n")
	for _, e := range fixtureEvents() {
		data, _ := json.Marshal(e)
		fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data)
	}
}

func fixtureServices() []model.Service {
	gone := now.Add(-time.Minute)
	return []model.Service{
		{ID: "service:web-17/nginx:8080", Host: "web-17", Proto: "tcp", Addr: netip.MustParseAddr("0.0.0.0"), Port: 8080, State: model.StateListening, Since: now.Add(-time.Hour),
			Process: model.Process{PID: 4711, Exe: "/usr/sbin/nginx", Cmdline: []string{"nginx: master process"}, UID: "root", GID: "root", Cwd: "/"}},
		{ID: "service:web-17/old:9000", Host: "web-17", Proto: "tcp", Addr: netip.MustParseAddr("::1"), Port: 9000, State: model.StateEnded, Since: now.Add(-2 * time.Hour), Ended: &gone,
			Process: model.Process{PID: 9, Exe: "/tmp/old\x1b[2J", UID: "app", GID: "app", Cwd: "/"}},
	}
}

func fixtureDeps() []model.DependencyView {
	return []model.DependencyView{{
		ID: "x", Proto: "tcp", Port: 8080,
		Client:   model.Party{ID: "process:web-17/usr/bin/curl", Host: "web-17", Exe: "/usr/bin/curl", PID: 12, Addr: netip.MustParseAddr("127.0.0.1")},
		Server:   model.Party{ID: "service:web-17/nginx:8080", Host: "web-17", Exe: "/usr/sbin/nginx", PID: 4711, Addr: netip.MustParseAddr("127.0.0.1")},
		Counters: model.Counters{Connections: 12345, Failed: 2, Refused: 2}, FirstSeen: now.Add(-time.Hour), LastSeen: now,
	}}
}

func fixtureGraph() model.Graph {
	return model.Graph{
		Nodes: []model.Node{
			{ID: "host:web-17", Kind: model.KindHost, Attrs: model.Attrs{"os": "Debian"}},
			{ID: "process:web-17/usr/bin/curl", Kind: model.KindProcess, Attrs: model.Attrs{}},
			{ID: "process:web-17/usr/bin/wget", Kind: model.KindProcess, Attrs: model.Attrs{}},
			{ID: "service:web-17/nginx:8080", Kind: model.KindService, Attrs: model.Attrs{"port": 8080}},
		},
		Edges: []model.Edge{{ID: "e", Kind: model.EdgeRuns, From: "host:web-17", To: "service:web-17/nginx:8080"}},
	}
}

func fixtureStatus() client.Status {
	return client.Status{Version: "v1", Host: "web-17", Start: now.Add(-time.Hour), Store: &model.StoreStats{}, Graph: &model.GraphStats{}, Capture: &model.CaptureStats{
		Hooks: []model.Hook{{Fact: "tcp", Hook: "tp_btf/inet_sock_set_state", First: true}, {Fact: "udp", Reason: "no cgroup v2"}},
	}}
}

func fixtureEvents() []model.Event {
	return []model.Event{
		{ID: "2026-11-20.11:00:00.000000.listeners.web-17", Time: now.Add(-time.Hour), Kind: model.EventServiceStarted, Host: "web-17", Node: "service:web-17/nginx:8080", Summary: "nginx listens on 0.0.0.0:8080"},
		{ID: "2026-11-20.12:00:00.000000.listeners.web-17", Time: now, Kind: model.EventServiceEnded, Host: "web-17", Node: "service:web-17/old:9000", Summary: "old\nended"},
	}
}

// closedPort is an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cassini.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
