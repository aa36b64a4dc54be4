package manager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/manager/store/bolt"
	"cassini/model"
	"cassini/transport/httpd"
)

// running is a manager that serves on loopback.
type running struct {
	*Manager
	t    testing.TB
	url  string
	stop func() error
}

func start(t testing.TB, dir string, edit ...func(*Config)) *running {
	t.Helper()
	cfg := Config{DataDir: dir, Host: "web-17", Version: "test", Start: time.Now()}
	for _, f := range edit {
		f(&cfg)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Manager: New(cfg), t: t, url: "http://" + l.Addr().String()}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, l) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	if err := r.await(t.Context()); err != nil {
		t.Fatalf("await: %v, %v", err, r.stop())
	}
	return r
}

func (r *running) get(target string) (int, http.Header, []byte) {
	r.t.Helper()
	resp, err := http.Get(r.url + target)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, body
}

func ask[T any](r *running, target string) (v T) {
	r.t.Helper()
	status, _, body := r.get(target)
	if err := json.Unmarshal(body, &v); err != nil || status != 200 {
		r.t.Fatalf("%s: %d %v: %s", target, status, err, body)
	}
	return v
}

func listener(host, program string, port uint16, state string) model.Document {
	now := time.Now().UTC()
	l := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr("127.0.0.1"), Port: port, State: state, Since: now,
		Process: model.Process{PID: 1, Exe: "/bin/" + program, Cmdline: []string{program}, UID: "root", GID: "root", Cwd: "/"}}
	if state == model.StateEnded {
		l.Ended = &now
	}
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageListeners, Key: l.Key()}, now, l)
	if err != nil {
		panic(err)
	}
	return doc
}

func dependency(host, program string, port uint16, connections uint64) model.Document {
	now := time.Now().UTC()
	d := model.Dependency{Direction: model.Out, Proto: "tcp", Process: model.Process{PID: 2, Exe: "/bin/" + program},
		Client: netip.MustParseAddr("127.0.0.1"), Server: netip.MustParseAddr("127.0.0.1"), Port: port,
		Counters: model.Counters{Connections: connections}, FirstSeen: now, LastSeen: now}
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageDependencies, Key: d.Key()}, now, d)
	if err != nil {
		panic(err)
	}
	return doc
}

func (r *running) accept(docs ...model.Document) {
	r.t.Helper()
	if err := r.Accept(r.t.Context(), docs); err != nil {
		r.t.Fatal(err)
	}
}

func TestSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir)
	r.accept(listener("web-17", "nginx", 8080, model.StateListening), dependency("web-17", "curl", 8080, 3))
	r.accept(listener("web-17", "nginx", 8080, model.StateEnded), model.Document{Name: model.Name{Host: "web-17", Package: "quux"}, Time: time.Now(), Body: json.RawMessage(`[1]`)})
	paths := []string{"/api/v1/graph", "/api/v1/services", "/api/v1/dependencies", "/api/v1/documents", "/api/v1/history?host=web-17", "/api/v1/events"}
	before := make(map[string]string)
	for _, p := range paths {
		_, _, body := r.get(p)
		before[p] = string(body)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := r.Accept(t.Context(), nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("accept after the end: %v", err)
	}
	again := start(t, dir)
	for _, p := range paths {
		if _, _, body := again.get(p); string(body) != before[p] {
			t.Errorf("%s after the restart:\n%s\nbefore:\n%s", p, body, before[p])
		}
	}
	if s := again.GraphStats(); s.Rejected["other"] != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestTimeTravel(t *testing.T) {
	clock := time.Now().Add(-time.Hour)
	var mu sync.Mutex
	r := start(t, t.TempDir(), func(c *Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
	})
	advance := func() string {
		mu.Lock()
		defer mu.Unlock()
		at := clock.Add(time.Second) // keys of one moment run ahead of it by microseconds
		clock = clock.Add(10 * time.Minute)
		return "at=" + at.UTC().Format(time.RFC3339Nano)
	}
	empty := advance()
	r.accept(listener("a", "nginx", 80, model.StateListening))
	listens := advance()
	r.accept(listener("a", "nginx", 80, model.StateEnded), listener("a", "redis", 81, model.StateListening))
	r.accept(model.Document{Name: listener("a", "redis", 81, "").Name, Time: time.Now()})
	ended := advance()
	for range 2 { // the second answers come from the cache
		for at, want := range map[string][2]int{empty: {0, 0}, listens: {1, 0}, ended: {0, 2}} {
			if got := ask[[]model.Service](r, "/api/v1/services?state=listening&"+at); len(got) != want[0] {
				t.Errorf("%s: listening %+v", at, got)
			}
			if got := ask[[]model.Service](r, "/api/v1/services?state=ended&"+at); len(got) != want[1] {
				t.Errorf("%s: ended %+v", at, got)
			}
		}
	}
	if got := ask[[]model.Document](r, "/api/v1/documents?"+listens); len(got) != 1 || got[0].Key != "tcp/127.0.0.1/80" {
		t.Errorf("documents %+v", got)
	}
	if got := ask[[]model.Document](r, "/api/v1/documents?package=listeners"); len(got) != 1 { // redis is gone
		t.Errorf("documents %+v", got)
	}
	if n := len(r.past.kept); n != 3 {
		t.Errorf("%d graphs kept", n)
	}
	clock = clock.Add(time.Minute)
	ask[[]model.Service](r, "/api/v1/services?at="+clock.UTC().Format(time.RFC3339Nano))
	if !r.past.kept[0].at.Before(clock) {
		t.Error("kept a moment that may still get entries")
	}
}

// hasty is a store whose user goes away while it writes.
type hasty struct {
	store.Store
	leave context.CancelFunc
}

func (h hasty) Append(ctx context.Context, docs []model.Document) ([]store.Key, error) {
	defer h.leave()
	return h.Store.Append(ctx, docs)
}

func TestDurableDocumentsReachTheGraph(t *testing.T) {
	r := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.store = hasty{r.store, cancel}
	if err := r.Accept(ctx, []model.Document{listener("h", "nginx", 80, model.StateListening)}); err != nil {
		t.Error(err)
	}
	if n := len(r.graph.Services(graph.ServiceFilter{})); n != 1 {
		t.Errorf("%d services", n)
	}
}

// damaged is a store that turns out to be corrupt.
type damaged struct{ store.Store }

func (damaged) Deliver(context.Context, model.Batch) (model.Receipt, error) {
	return model.Receipt{}, fmt.Errorf("append: %w", store.ErrCorrupt)
}

func TestDamageEndsTheManager(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := New(Config{DataDir: t.TempDir()})
	done := make(chan error, 1)
	go func() { done <- m.Run(t.Context(), l) }()
	if err := m.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.store = damaged{m.store}
	for range 2 {
		if err := m.Accept(t.Context(), []model.Document{listener("h", "x", 1, model.StateListening)}); err == nil {
			t.Error("accepted")
		}
	}
	if err := <-done; !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}

func TestConcurrentAcceptsStandInTheGraph(t *testing.T) {
	r := start(t, t.TempDir())
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 20 {
				port := uint16(1000 + w*20 + i)
				if err := r.Accept(t.Context(), []model.Document{listener("h", "x", port, model.StateListening)}); err != nil {
					t.Error(err)
				}
				if _, ok := r.graph.Neighbourhood(model.ServiceID("h", "x", "tcp", port, ""), 0); !ok {
					t.Errorf("accepted %d, and the graph does not have it", port)
				}
			}
		})
	}
	wg.Wait()
	events, _ := r.events.after("")
	for i := 1; i < len(events); i++ {
		if events[i].ID <= events[i-1].ID {
			t.Fatalf("event %s after %s", events[i].ID, events[i-1].ID)
		}
	}
	if len(events) != 321 {
		t.Errorf("%d events", len(events))
	}
}

func TestEventsOlderThanMemoryComeFromTheLog(t *testing.T) {
	r := start(t, t.TempDir())
	for i := range 6 {
		r.accept(listener("h", "x", uint16(i+1), model.StateListening))
	}
	all, _ := r.events.after("")
	r.events.mu.Lock()
	r.events.kept, r.events.lost = r.events.kept[4:], true
	r.events.mu.Unlock()
	if got := ask[[]model.Event](r, "/api/v1/events"); len(got) != len(all)-4 {
		t.Errorf("%d events without since", len(got))
	}
	got := ask[[]model.Event](r, "/api/v1/events?since="+url.QueryEscape(all[1].ID))
	if fmt.Sprint(got) != fmt.Sprint(all[2:]) {
		t.Errorf("got %v\nwant %v", got, all[2:])
	}
}

func TestSlowWatcherIsCutOff(t *testing.T) {
	h := newHub()
	ch := h.subscribe()
	for i := range eventBuffer + 1 {
		h.publish([]model.Event{{ID: fmt.Sprintf("%05d", i)}})
	}
	n := 0
	for range ch { // ends: it was closed
		n++
	}
	if watchers, lagged := h.figures(); n != eventBuffer || watchers != 0 || lagged != 1 {
		t.Errorf("read %d, %d watchers, %d lagged", n, watchers, lagged)
	}
	for i := range 2 * eventsKept {
		h.publish([]model.Event{{ID: fmt.Sprintf("1%05d", i)}})
	}
	if _, ok := h.after("00001"); ok || len(h.kept) > eventsKept+eventsKept/10 {
		t.Errorf("claims to have all, keeps %d", len(h.kept))
	}
}

func TestRefusals(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:1984": true, "[::1]:0": true, "localhost:1": true, "127.9.9.9:1": true,
		"0.0.0.0:1984": false, ":1984": false, "[::]:1": false, "10.0.0.1:1": false, "example.org:1": false, "127.0.0.1": false,
	} {
		if err := CheckListen(address); ok != (err == nil) {
			t.Errorf("%s: %v", address, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, bolt.FileName), bytes.Repeat([]byte("x"), 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := New(Config{DataDir: dir}).Run(t.Context(), l); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the listener is still open")
	}
}

func TestShutdownEndsStreams(t *testing.T) {
	r := start(t, t.TempDir())
	req, _ := http.NewRequest("GET", r.url+"/api/v1/events", nil)
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	begin := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > httpd.Grace {
		t.Errorf("took %v", took)
	}
	if text, _ := io.ReadAll(resp.Body); !strings.HasPrefix(string(text), ": events") {
		t.Errorf("got %q", text)
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("batch %d", size), func(b *testing.B) {
			r := start(b, b.TempDir())
			docs := make([]model.Document, size)
			for i := range docs {
				docs[i] = dependency("h", "curl", uint16(i), 1)
			}
			for b.Loop() {
				if err := r.Accept(b.Context(), docs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/document")
		})
	}
}

func BenchmarkPast(b *testing.B) {
	r := start(b, b.TempDir())
	docs := make([]model.Document, 1000)
	for batch := range 20 {
		for i := range docs {
			docs[i] = dependency("h", "curl", uint16(i), uint64(batch))
		}
		if err := r.Accept(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := r.Graph(b.Context(), time.Now()); err != nil { // too young to be kept
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*20_000), "ns/document")
}
