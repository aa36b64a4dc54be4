package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/delivery"

	"github.com/klauspost/compress/zstd"
)

// numbered is a delivery of web-17.
func numbered(first, n int) string {
	docs := make([]string, n)
	for i := range docs {
		docs[i] = fmt.Sprintf(`{"host":"web-17","package":"p","key":"k%d","time":"2026-11-20T19:00:00Z","body":{"n":%d}}`, i, first+i)
	}
	return fmt.Sprintf(`{"host":"web-17","incarnation":9,"sequence":%d,"later":"fields are left alone","documents":[%s]}`, first, strings.Join(docs, ","))
}

func compressed(t testing.TB, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(text), nil))
}

var zstdBody = header("Content-Encoding", delivery.Encoding)

func TestDeliveries(t *testing.T) {
	b := filled(t)
	cfg := config(b)
	cfg.Deliveries = &Deliveries{}
	h := New(cfg)
	before := len(b.log)
	deliver := func(body string, edit ...func(*http.Request)) (r model.Receipt) {
		t.Helper()
		w := do(h, "POST", "/api/v1/deliveries", body, append(edit, header(delivery.Header, "2"))...)
		if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %v: %s", w.Code, err, w.Body)
		}
		if w.Header().Get(delivery.Header) != "1-2" || w.Header().Get("Accept-Encoding") != "zstd" {
			t.Errorf("headers are %v", w.Header())
		}
		return r
	}
	at := func(n uint64) model.Position { return model.Position{Incarnation: 9, Sequence: n} }
	if r := deliver(numbered(1, 3)); r != (model.Receipt{Last: at(3)}) {
		t.Errorf("got %+v", r)
	}
	if r := deliver(compressed(t, numbered(1, 4)), zstdBody); r != (model.Receipt{Last: at(4), Known: 3}) {
		t.Errorf("sent again with one more: got %+v", r)
	}
	if r := deliver(numbered(8, 1)); r != (model.Receipt{Last: at(8), Gap: true}) {
		t.Errorf("behind a gap: got %+v", r)
	}
	if n := len(b.log) - before; n != 5 {
		t.Errorf("%d documents were taken, want 5", n)
	}
	s := cfg.Deliveries.Stats()
	if s.Batches != 3 || s.Documents != 5 || s.Known != 3 || s.Gaps != 1 || s.Underway != 0 || s.WireBytes >= s.Bytes {
		t.Errorf("stats are %+v", s)
	}
}

// TestDocumentsCompressed asks as an agent does, and as others do.
func TestDocumentsCompressed(t *testing.T) {
	h := handler(filled(t))
	plain := do(h, "GET", "/api/v1/documents?host=web-17", "", header("Accept-Encoding", "gzip, zstd"))
	small := do(h, "GET", "/api/v1/documents?host=web-17", "", header("Accept-Encoding", "zstd"))
	if plain.Header().Get("Content-Encoding") != "" || small.Header().Get("Content-Encoding") != "zstd" || small.Body.Len() >= plain.Body.Len() {
		t.Errorf("%d bytes %v, compressed %d bytes %v", plain.Body.Len(), plain.Header(), small.Body.Len(), small.Header())
	}
	codec, err := delivery.NewCodec(maxBody)
	if err != nil {
		t.Fatal(err)
	}
	var docs []model.Document
	if raw, err := codec.Decompress(small.Body.Bytes()); err != nil || json.Unmarshal(raw, &docs) != nil || len(docs) == 0 {
		t.Errorf("%v: %s", err, raw)
	}
}

// TestRefusedBodies tries what a body can be that is not taken: each is refused with a
// reason, logged and counted.
func TestRefusedBodies(t *testing.T) {
	var log bytes.Buffer
	b := filled(t)
	cfg := config(b)
	cfg.Deliveries = &Deliveries{}
	cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := New(cfg)
	before := len(b.log)
	bomb := compressed(t, numbered(1, 1)+strings.Repeat(" ", 64<<20))
	if len(bomb) > 64<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	var hidden bytes.Buffer // its head does not say how much it holds
	stream, _ := zstd.NewWriter(&hidden)
	if _, err := io.Copy(stream, strings.NewReader(strings.Repeat("[", 64<<20))); err != nil || stream.Close() != nil {
		t.Fatal(err)
	}
	counted := map[string]uint64{}
	for _, tc := range []struct {
		name, path, body string
		edit             func(*http.Request)
		status           int
		text, reason     string
	}{
		{"bomb", "/api/v1/deliveries", bomb, zstdBody, 413, "hold more than 8388608", model.RefusedBomb},
		{"bomb of one who speaks protocol 1", "/api/v1/documents", bomb, zstdBody, 413, "hold more than 8388608", model.RefusedBomb},
		{"bomb without a size", "/api/v1/deliveries", hidden.String(), zstdBody, 413, "hold more than 8388608", model.RefusedBomb},
		{"many frames", "/api/v1/deliveries", strings.Repeat(compressed(t, strings.Repeat(" ", 1<<20)), 9), zstdBody, 413, "hold more than", model.RefusedBomb},
		{"oversized", "/api/v1/deliveries", strings.Repeat(" ", maxBody+1), zstdBody, 413, "too large", model.RefusedTooLarge},
		{"too many", "/api/v1/deliveries", numbered(1, delivery.MaxDocuments+1), zstdNone, 413, "at most 10000", model.RefusedTooLarge},
		{"no zstd", "/api/v1/deliveries", numbered(1, 1), zstdBody, 400, "not valid zstd", model.RefusedMalformed},
		{"cut zstd", "/api/v1/deliveries", compressed(t, numbered(1, 100))[:200], zstdBody, 400, "not valid zstd", model.RefusedMalformed},
		{"another coding", "/api/v1/deliveries", numbered(1, 1), header("Content-Encoding", "br"), 415, "want zstd or none", model.RefusedMalformed},
		{"no JSON", "/api/v1/deliveries", "hello", zstdNone, 400, "not the JSON", model.RefusedMalformed},
		{"no number", "/api/v1/deliveries", strings.Replace(numbered(1, 1), `"sequence":1`, `"sequence":0`, 1), zstdNone, 400, "number nothing", model.RefusedMalformed},
		{"no document", "/api/v1/deliveries", strings.ReplaceAll(numbered(1, 1), `"p"`, `""`), zstdNone, 400, "package is missing", model.RefusedInvalid},
		{"too new", "/api/v1/deliveries", numbered(1, 1), header(delivery.Header, "3"), 426, "upgrade the manager (this is Cassini test)", model.RefusedVersion},
	} {
		log.Reset()
		w := do(h, "POST", tc.path, tc.body, tc.edit)
		wantProblem(t, w, tc.status, tc.text)
		if !strings.Contains(log.String(), "request refused") {
			t.Errorf("%s: the log has %q", tc.name, log.String())
		}
		counted[tc.reason]++
		if got := cfg.Deliveries.Stats().Refused[tc.reason]; got != counted[tc.reason] {
			t.Errorf("%s: %d are counted as %s, want %d", tc.name, got, tc.reason, counted[tc.reason])
		}
	}
	if len(b.log) != before {
		t.Errorf("%d documents were taken", len(b.log)-before)
	}
}

func zstdNone(*http.Request) {}

// TestEmptyDocuments sends millions of documents that say nothing, in a body of few bytes: they
// are refused before they have memory of their own.
func TestEmptyDocuments(t *testing.T) {
	cfg := config(filled(t))
	cfg.Deliveries = &Deliveries{}
	h := New(cfg)
	text := `{"host":"web-17","incarnation":9,"sequence":1,"documents":[` + strings.Repeat("{},", (8<<20)/3-100) + "{}]}"
	body := compressed(t, text)
	if len(body) > 8<<10 {
		t.Fatalf("it has %d bytes", len(body))
	}
	for _, path := range []string{pathDeliveries, pathDocuments} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := do(h, "POST", path, body, zstdBody)
		runtime.ReadMemStats(&after)
		wantProblem(t, w, http.StatusRequestEntityTooLarge, "at most 10000")
		if took := after.TotalAlloc - before.TotalAlloc; took > 8*maxBody {
			t.Errorf("%s: %d bytes of body took %d", path, len(text), took)
		}
	}
	if got := cfg.Deliveries.Stats().Refused[model.RefusedTooLarge]; got != 2 {
		t.Errorf("%d are counted", got)
	}
}

// TestVersions lets requests say which protocol they speak.
func TestVersions(t *testing.T) {
	cfg := config(filled(t))
	cfg.Protocol = delivery.Range{Oldest: 2, Newest: 3}
	h := New(cfg)
	for _, tc := range []struct {
		method, path, version string
		want                  int
		text                  string
	}{
		{"GET", "/api/v1/services", "", 200, ""}, // people say no version
		{"GET", "/api/v1/services", "2", 200, ""},
		{"GET", "/api/v1/services", "two", 400, "invalid protocol version"},
		{"POST", "/api/v1/deliveries", "3", 200, ""},
		{"POST", "/api/v1/deliveries", "4", 426, "the agent speaks protocol 4, the manager 2-3: upgrade the manager"},
		{"POST", "/api/v1/deliveries", "1", 426, "the agent speaks protocol 1, the manager 2-3: upgrade the agent"},
		{"POST", "/api/v1/documents", "", 426, "the agent speaks protocol 1, the manager 2-3: upgrade the agent"},
	} {
		w := do(h, tc.method, tc.path, numbered(1, 1), header(delivery.Header, tc.version))
		if w.Code != tc.want || !strings.Contains(w.Body.String(), tc.text) || w.Header().Get(delivery.Header) != "2-3" {
			t.Errorf("%s %s by %q: %d %s", tc.method, tc.path, tc.version, w.Code, w.Body)
		}
	}
}

// TestPutsOff fills the manager with deliveries: others are put off, and those of one
// agent do not keep out those of others.
func TestPutsOff(t *testing.T) {
	var d Deliveries
	for range maxDeliveriesOfHost {
		if err := d.enter("a"); err != nil {
			t.Fatal(err)
		}
	}
	if d.enter("a") == nil {
		t.Error("one agent has no bound")
	}
	for d.enter("") == nil {
	}
	if s := d.Stats(); s.Underway != maxDeliveries || s.Refused[model.RefusedBusy] != 2 {
		t.Errorf("stats are %+v", s)
	}
	cfg := config(filled(t))
	cfg.Deliveries = &d
	h := New(cfg)
	w := do(h, "POST", "/api/v1/deliveries", numbered(1, 1))
	wantProblem(t, w, http.StatusTooManyRequests, "come again")
	if w.Header().Get("Retry-After") != retryAfter {
		t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
	}
	if w := do(h, "GET", "/api/v1/services", ""); w.Code != http.StatusOK {
		t.Errorf("questions are put off too: %d", w.Code)
	}
	d.leave("a")
	if w := do(h, "POST", "/api/v1/deliveries", numbered(1, 1)); w.Code != http.StatusOK {
		t.Errorf("with room: %d %s", w.Code, w.Body)
	}
}

// TestSlowBodies sends bodies that never end, over a real connection: they are given up,
// and their places are free again.
func TestSlowBodies(t *testing.T) {
	cfg := config(filled(t))
	cfg.Deliveries, cfg.BodyTimeout = &Deliveries{}, 50*time.Millisecond
	server := httptest.NewServer(New(cfg))
	defer server.Close()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "POST /api/v1/deliveries HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
			answer, _ := io.ReadAll(conn) // until the manager hangs up
			if !strings.HasPrefix(string(answer), "HTTP/1.1 408") {
				t.Errorf("the answer is %q", answer)
			}
		})
	}
	all.Wait()
	if s := cfg.Deliveries.Stats(); s.Underway != 0 || s.Refused[model.RefusedSlow] != 8 {
		t.Errorf("stats are %+v", s)
	}
}

// TestWhoseDelivery: whose host a body is of is decided by what is then taken, however it is
// written.
func TestWhoseDelivery(t *testing.T) {
	g := newGuarded(t)
	agent := g.agent("web-17")
	doc := func(host string) string {
		return `{"host":"` + host + `","package":"p","key":"k","time":"2026-11-20T19:26:03Z","body":1}`
	}
	for _, tc := range []struct {
		body   string
		status int
	}{
		{`{"host":"web-17","incarnation":1,"sequence":1,"documents":[` + doc("web-17") + `]}`, 200},
		{`{ "HOST": "web-17", "incarnation":1,"sequence":2,"documents":[` + doc("web-17") + `],"more":0}`, 200},
		{`{"host":"web-17","incarnation":1,"sequence":3,"documents":[` + doc("db-1") + `]}`, 400},
		{`{"host":"db-1","incarnation":1,"sequence":3,"documents":[` + doc("db-1") + `]}`, 403},
		{`{"host":"web-17","incarnation":1,"sequence":3,"documents":[` + doc("db-1") + `],"host":"db-1"}`, 403},
		{`{"host":"web-17","incarnation":1,"sequence":3,"documents":[` + doc("db-1") + `],"Host":"db-1"}`, 403},
		{`{"incarnation":1,"sequence":3,"documents":[` + doc("db-1") + `]}`, 403},
	} {
		for _, path := range []string{pathDeliveries, pathDocuments} {
			if w := do(g.h, "POST", path, tc.body, agent, header(delivery.Header, "2")); w.Code != tc.status {
				t.Errorf("%s of %s: %d %s", path, tc.body, w.Code, w.Body)
			}
		}
	}
	for _, d := range g.b.log {
		if d.Document.Host == "db-1" && d.Document.Package == "p" {
			t.Errorf("%+v was taken", d)
		}
	}
}
