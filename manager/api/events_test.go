package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cassini/manager/enroll"
	"cassini/model"
)

// connect opens an event stream over a real connection.
func connect(t *testing.T, b *backend, query string, edit ...func(*http.Request)) *bufio.Reader {
	t.Helper()
	ts := httptest.NewServer(handler(b))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", ts.URL+"/api/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", mediaEvents)
	for _, f := range edit {
		f(r)
	}
	resp, err := ts.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		resp.Body.Close()
		ts.Close()
	})
	if got := resp.Header.Get("Content-Type"); got != mediaEvents {
		t.Fatalf("type %q", got)
	}
	return bufio.NewReader(resp.Body)
}

// next reads up to the next id, and returns it with the kind.
func next(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	got := ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "id: "):
			got = line[4:]
		case strings.HasPrefix(line, "event: "):
			return got + " " + line[7:]
		}
	}
}

func TestStreamResumesWithoutGapOrRepetition(t *testing.T) {
	b := filled(t)
	last := b.events[len(b.events)-1]
	b.stream <- last // happened between the subscription and the end of the backlog
	b.stream <- model.Event{ID: "3", Kind: model.EventServiceEnded, Host: "other"}
	r := connect(t, b, "", header("Last-Event-ID", b.events[1].ID))
	for _, want := range append(b.events[2:], model.Event{ID: "3", Kind: model.EventServiceEnded}) {
		if got := next(t, r); got != want.ID+" "+want.Kind {
			t.Errorf("got %s, want %s %s", got, want.ID, want.Kind)
		}
	}
}

func TestStreamFilters(t *testing.T) {
	b := filled(t)
	for _, e := range []model.Event{
		{ID: "1", Kind: model.EventServiceEnded, Host: "a"}, {ID: "2", Kind: model.EventHostSeen, Host: "b"}, {ID: "3", Kind: model.EventServiceEnded, Host: "b"},
	} {
		b.stream <- e
	}
	r := connect(t, b, "?kind=service.ended&host=b")
	if got := next(t, r); got != "3 service.ended" {
		t.Errorf("got %s", got)
	}
}

// stuck is a connection whose reader has stopped.
type stuck struct{ http.ResponseWriter }

func (stuck) Write([]byte) (int, error)        { return 0, os.ErrDeadlineExceeded }
func (stuck) SetWriteDeadline(time.Time) error { return nil }

func TestSlowReaderIsCutOffAndCounted(t *testing.T) {
	b := filled(t)
	r := httptest.NewRequest("GET", "/api/v1/events", nil)
	r.Header.Set("Accept", mediaEvents)
	r.Host = "localhost"
	handler(b).ServeHTTP(stuck{httptest.NewRecorder()}, r)
	if b.slow != 1 {
		t.Errorf("counted %d", b.slow)
	}
	close(b.stream) // the manager cuts off who is behind
	w := do(handler(b), "GET", "/api/v1/events", "", header("Accept", mediaEvents))
	if w.Code != 200 || b.slow != 1 {
		t.Errorf("%d, counted %d", w.Code, b.slow)
	}
}

// stream2 is a stream of HTTP/2: a deadline that passes ends it, also while nothing is written.
type stream2 struct {
	*httptest.ResponseRecorder
	ends  context.CancelFunc
	ended context.Context
	timer *time.Timer
	stuck bool // its reader has stopped
}

func (s *stream2) SetWriteDeadline(at time.Time) error {
	if s.timer != nil {
		s.timer.Stop()
	}
	if !at.IsZero() {
		s.timer = time.AfterFunc(time.Until(at), s.ends)
	}
	return nil
}

func (s *stream2) Write(b []byte) (int, error) {
	if s.stuck {
		<-s.ended.Done()
		return 0, errors.New("http2: stream closed")
	}
	return s.ResponseRecorder.Write(b)
}

// follow runs an event stream over HTTP/2 until it ends.
func follow(t *testing.T, b *backend, out *stream2) {
	out.ResponseRecorder = httptest.NewRecorder()
	out.ended, out.ends = context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(out.ended, "GET", "/api/v1/events", nil)
	r.Header.Set("Accept", mediaEvents)
	r.Host = "localhost"
	handler(b).ServeHTTP(out, r)
}

// TestStreamOverHTTP2 is silent for longer than one write may take.
func TestStreamOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, out := filled(t), &stream2{}
		go func() {
			time.Sleep(5*heartbeat + slowTimeout)
			b.stream <- model.Event{ID: "9", Kind: model.EventHostSeen}
			close(b.stream)
		}()
		follow(t, b, out)
		if got := out.Body.String(); strings.Count(got, "still here") != 5 || !strings.Contains(got, "id: 9") {
			t.Errorf("got %q", got)
		}
	})
}

func TestSlowReaderOverHTTP2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := filled(t)
		if follow(t, b, &stream2{stuck: true}); b.slow != 1 {
			t.Errorf("counted %d", b.slow)
		}
	})
}

// TestStreamEndsWithItsToken revokes a token by which somebody watches.
func TestStreamEndsWithItsToken(t *testing.T) {
	g := newGuarded(t)
	viewer := g.token(enroll.TokenRequest{Role: enroll.RoleViewer})
	ts := httptest.NewServer(g.h)
	t.Cleanup(ts.Close)
	r, err := http.NewRequestWithContext(t.Context(), "GET", ts.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", mediaEvents)
	viewer(r)
	resp, err := ts.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	g.b.stream <- model.Event{ID: "1", Kind: model.EventHostSeen}
	lines := bufio.NewReader(resp.Body)
	if got := next(t, lines); got != "1 "+model.EventHostSeen {
		t.Fatalf("got %s", got)
	}
	for _, token := range g.a.Tokens() {
		if token.Role == enroll.RoleViewer {
			if err := g.a.RevokeToken(token.ID, later); err != nil {
				t.Fatal(err)
			}
		}
	}
	g.b.stream <- model.Event{ID: "2", Kind: model.EventHostSeen}
	close(g.b.stream) // it ends in any case
	rest, err := io.ReadAll(lines)
	if err != nil || strings.Contains(string(rest), "id: 2") {
		t.Errorf("told after its token was revoked: %q, %v", rest, err)
	}
}
