package api

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

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

type timeout struct{ error }

func (timeout) Timeout() bool { return true }

func (stuck) Write([]byte) (int, error)        { return 0, timeout{errors.New("i/o timeout")} }
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
