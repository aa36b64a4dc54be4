package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/manager/rings/keeper"
	"cassini/manager/speakers"
	"cassini/manager/store"
	"cassini/model"
)

var now = time.Date(2026, 11, 20, 19, 26, 3, 123456789, time.UTC)

// backend is a manager that keeps everything in memory.
type backend struct {
	expelled []string
	refused  []string
	said     []string // about incidents
	mu       sync.Mutex
	g        *graph.Graph
	log      []LogEntry
	events   []model.Event
	stream   chan model.Event
	slow     int
	replayed bool
	err      error // of Accept
	ready    error
	stale    error
	asked    []string // hosts to refresh
	agents   []string
	position model.Position
}

func newBackend() *backend {
	return &backend{g: graph.New(graph.Limits{}), stream: make(chan model.Event, 10), replayed: true}
}

func (b *backend) Deliver(_ context.Context, batch model.Batch) (model.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return model.Receipt{}, b.err
	}
	var r model.Receipt
	docs := batch.Documents
	if batch.First != (model.Position{}) {
		r = batch.After(b.position)
		docs, b.position = docs[r.Known:], r.Last
	}
	return r, b.apply(docs)
}

func (b *backend) Accept(ctx context.Context, docs []model.Document) error {
	_, err := b.Deliver(ctx, model.Batch{Documents: docs})
	return err
}

func (b *backend) apply(docs []model.Document) error {
	for _, d := range docs {
		if err := d.Validate(); err != nil {
			return err
		}
		key := fmt.Sprintf("2026-11-20.19:26:03.%06d.%s.%s", len(b.log), d.Package, d.Host)
		b.log = append(b.log, LogEntry{key, d})
		b.events = append(b.events, b.g.Apply(key, d)...)
	}
	return nil
}

func (b *backend) Latest(ctx context.Context, host string) ([]model.Document, error) {
	return b.Documents(ctx, model.Name{Host: host}, time.Time{})
}
func (b *backend) Hashes(ctx context.Context, host string) ([]model.DocumentHash, error) {
	docs, err := b.Latest(ctx, host)
	list := []model.DocumentHash{}
	for _, d := range docs {
		list = append(list, model.DocumentHash{Package: d.Package, Key: d.Key, Hash: model.HashOf(d)})
	}
	return list, err
}
func (b *backend) Tenant(string) Backend { return newBackend() }
func (b *backend) Replayed() bool        { return b.replayed }
func (b *backend) Ready() error          { return b.ready }
func (b *backend) Graph(_ context.Context, at time.Time) (*graph.Graph, error) {
	if !at.IsZero() {
		return graph.New(graph.Limits{}), nil
	}
	return b.g, nil
}

func (b *backend) Documents(context.Context, model.Name, time.Time) ([]model.Document, error) {
	docs := []model.Document{}
	for _, e := range b.log {
		docs = append(docs, e.Document)
	}
	return docs, nil
}

func (b *backend) History(_ context.Context, f model.Name, before string, limit int) ([]LogEntry, error) {
	return b.log[:min(limit, len(b.log))], nil
}

func (b *backend) Log(_ context.Context, from, to time.Time, newest bool) iter.Seq2[LogEntry, error] {
	return func(yield func(LogEntry, error) bool) {
		log := slices.Clone(b.log)
		if newest {
			slices.Reverse(log)
		}
		for _, e := range log {
			at, err := store.Key(e.LogKey).Time()
			if err == nil && (at.Before(from) || !to.IsZero() && at.After(to)) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (b *backend) Events(_ context.Context, since string) iter.Seq2[model.Event, error] {
	return func(yield func(model.Event, error) bool) {
		for _, e := range b.events {
			if e.ID > since && !yield(e, nil) {
				return
			}
		}
	}
}

func (b *backend) Watch(ctx context.Context, since string) EventStream {
	s := EventStream{C: b.stream, Close: func() {}, Slow: func() { b.slow++ }}
	if since != "" {
		s.Backlog = b.Events(ctx, since)
	}
	return s
}

func (b *backend) Refresh(_ context.Context, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, host)
	return b.stale
}

func (b *backend) RegisterAgent(host, url string) error {
	if !strings.HasPrefix(url, "http://127.") {
		return fmt.Errorf("bad URL %q", url)
	}
	b.agents = append(b.agents, host+" "+url)
	return nil
}
func (b *backend) StoreStats() model.StoreStats { return model.StoreStats{Documents: 7} }
func (b *backend) GraphStats() model.GraphStats { return b.g.Stats() }

// filled has nginx, curl and a client of something that is not there.
func filled(t testing.TB) *backend {
	t.Helper()
	b := newBackend()
	put := func(pkg, key string, body any) {
		doc, err := model.NewDocument(model.Name{Host: "web-17", Package: pkg, Key: key}, now, body)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Accept(t.Context(), []model.Document{doc}); err != nil {
			t.Fatal(err)
		}
	}
	l := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr("0.0.0.0"), Port: 8080, State: model.StateListening, Since: now, Sockets: 1,
		Process: model.Process{PID: 397, Exe: "/usr/sbin/nginx", Cmdline: []string{"nginx", "-g", `daemon "off";`}, UID: "root", GID: "root", Cwd: "/"}}
	put(model.PackageListeners, l.Key(), l)
	for _, port := range []uint16{8080, 9} {
		d := model.Dependency{Direction: model.Out, Proto: "tcp", Process: model.Process{PID: 400, Exe: "/usr/bin/curl", Cmdline: []string{"curl"}, UID: "root", GID: "root", Cwd: "/root"},
			Client: netip.MustParseAddr("127.0.0.1"), Server: netip.MustParseAddr("127.0.0.1"), Port: port, FirstSeen: now, LastSeen: now, CountingSince: now,
			Counters: model.Counters{Connections: 3, Attempts: 3}}
		if port == 9 {
			d.Counters = model.Counters{Attempts: 2, Failed: 2, Refused: 2}
		}
		put(model.PackageDependencies, d.Key(), d)
	}
	put(model.PackageIdentity, "", model.Identity{Hostname: "web-17", BootTime: now, Agent: "0.1", AgentStart: now})
	return b
}

func (b *backend) Backup(_ context.Context, w io.Writer) error {
	if b.err != nil && b.stale == nil {
		return b.err
	}
	_, err := io.WriteString(w, "backup")
	return errors.Join(err, b.err)
}

func handler(b *backend) http.Handler { return New(config(b)) }

func config(b *backend) Config {
	return Config{Backend: b, Host: "web-17", Version: "test", Start: now, Now: func() time.Time { return now.Add(time.Hour) }, Logger: slog.New(slog.DiscardHandler),
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "cassini_up 1\n") }),
		Reload: func() (model.Reloaded, error) {
			return model.Reloaded{Applied: []string{"log-level"}, Restart: []string{}}, b.ready
		},
		Capture: func() *model.CaptureStats { return &model.CaptureStats{} }}
}

// do asks without a network.
func do(h http.Handler, method, target, body string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:1984"
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range edit {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// wantProblem checks that an answer is problem details with a text in them.
func wantProblem(t *testing.T, w *httptest.ResponseRecorder, status int, text string) {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if w.Code != status || p.Status != status || p.Title == "" || p.Type == "" || p.Instance == "" ||
		w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(p.Detail, text) {
		t.Errorf("got %d %+v, want %d and %q", w.Code, p, status, text)
	}
}

func (b *backend) Join(context.Context, model.Join) (*model.Joined, error) {
	return &model.Joined{Incarnation: 1}, nil
}

// Speaks takes "other/..." for another machine, and so on.
func (b *backend) Speaks(_ context.Context, _, mark string) (speakers.Answer, error) {
	kind, _, _ := strings.Cut(mark, "/")
	return map[string]speakers.Answer{"other": speakers.Another, "later": speakers.Later, "new": speakers.Unknown}[kind], b.err
}

func (b *backend) Introduce(ctx context.Context, host string, m model.Machine, _ netip.Addr) (speakers.Answer, error) {
	return b.Speaks(ctx, host, m.Mark())
}

func (b *backend) Refuse(host, mark string, m model.Machine, _ netip.Addr) {
	b.refused = append(b.refused, host+" "+mark+" "+m.DMI)
}

func (b *backend) Name(_ context.Context, name string, m model.Machine) (string, error) {
	if m.MachineID == "another" {
		return name + "~2", nil
	}
	return name, nil
}

func (b *backend) Rings(context.Context) (keeper.View, error) {
	return keeper.View{Rings: []model.RingHealth{}}, nil
}

func (b *backend) Rotate(context.Context) error { return nil }

func (b *backend) Forget(_ context.Context, host string) (model.Forgotten, error) {
	return model.Forgotten{Host: host, Documents: 3}, b.err
}

func (b *backend) Compact(context.Context) (model.Compacted, error) {
	return model.Compacted{Before: 3 << 20, After: 1 << 20}, b.err
}

func (b *backend) Expel(_ context.Context, host string) error {
	b.expelled = append(b.expelled, host)
	return nil
}

func (b *backend) Acknowledge(_ context.Context, id string, ack *model.Ack) error {
	b.said = append(b.said, fmt.Sprintf("ack %s %+v", id, ack))
	return b.err
}

func (b *backend) Silence(_ context.Context, s model.Silence) (model.Silence, error) {
	b.said = append(b.said, fmt.Sprintf("silence %+v", s))
	s.ID = "s1"
	return s, b.err
}

func (b *backend) EndSilence(_ context.Context, id string) (model.Silence, error) {
	b.said = append(b.said, "end "+id)
	return model.Silence{ID: id}, b.err
}

func (b *backend) AlertStats() []model.ReceiverStats { return nil }
