package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server with one handler and a client of it.
func serve(t *testing.T, cfg Config, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	c, err := New(server.URL, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func answer(w http.ResponseWriter, kind string, status int, body string) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func TestNew(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:1984": "http://127.0.0.1:1984", "127.0.0.1:1984": "http://127.0.0.1:1984",
		"https://web/cassini/": "https://web/cassini/", "localhost": "http://localhost",
	} {
		if c, err := New(address, Config{}); err != nil || c.base.String() != want {
			t.Errorf("%s: got %v, %v", address, c, err)
		}
	}
	for _, address := range []string{"", "ftp://a", "http://", "http://a b", "http://[::1"} {
		if _, err := New(address, Config{}); err == nil {
			t.Errorf("%q was accepted", address)
		}
	}
}

func TestQuestion(t *testing.T) {
	var asked []string
	var warned []string
	c := serve(t, Config{UserAgent: "cassini/v1", Warn: func(s string) { warned = append(warned, s) }}, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.String()+" "+r.UserAgent())
		w.Header().Set("Cassini-Stale", "web-17: no answer in 2s")
		answer(w, "application/json", 200, `[{"id":"service:a/nginx:80"}]`)
	})
	at := time.Date(2026, 11, 20, 20, 0, 0, 5, time.FixedZone("", 3600))
	services, err := c.Services(t.Context(), Query{}.With("host", "a b").With("state", "").Number("depth", 0).Number("limit", 3).At(at))
	if err != nil || len(services) != 1 || services[0].ID != "service:a/nginx:80" {
		t.Fatalf("got %v, %v", services, err)
	}
	if want := []string{"GET /api/v1/services?at=2026-11-20T19%3A00%3A00.000000005Z&host=a+b&limit=3 cassini/v1"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	if want := []string{"counters may be old: web-17: no answer in 2s"}; !slices.Equal(warned, want) {
		t.Errorf("warned %q", warned)
	}
}

func TestRefusals(t *testing.T) {
	for name, tc := range map[string]struct {
		kind   string
		status int
		body   string
		want   string
	}{
		"problem":     {"application/problem+json", 404, `{"title":"Not Found","status":404,"detail":"no node x; near: y"}`, "no node x; near: y"},
		"no detail":   {"application/problem+json; charset=utf-8", 503, `{"title":"Not ready"}`, "Not ready"},
		"empty":       {"application/problem+json", 503, `{}`, "Service Unavailable"},
		"not cassini": {"text/html", 404, "<h1>", "answered 404 Not Found, which is not Cassini's way; does --api"},
		"html":        {"text/html", 200, "<h1>", `answered "text/html" instead of JSON`},
		"not json":    {"application/json", 200, "[", "read the answer about nodes: unexpected EOF"},
		"bad problem": {"application/problem+json", 500, "{", "read the answer 500"},
	} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, Config{}, func(w http.ResponseWriter, _ *http.Request) { answer(w, tc.kind, tc.status, tc.body) })
			_, err := c.Nodes(t.Context(), Query{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// nowhere is the URL of a port on which nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestUnreachable(t *testing.T) {
	url := nowhere(t)
	c, err := New(url, Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Status(t.Context())
	want := "cannot reach Cassini at " + url + ": connection refused; start it with 'cassini run' or point --api/CASSINI_API at a running one"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, ok := errors.AsType[*UnreachableError](err); !ok {
		t.Errorf("%T is no UnreachableError", err)
	}
}

func TestDOT(t *testing.T) {
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		answer(w, "text/vnd.graphviz", 200, r.URL.RawQuery+" "+r.Header.Get("Accept"))
	})
	var out bytes.Buffer
	if err := c.Export(t.Context(), &out, "graph", "dot", Query{}.With("kind", "x")); err != nil || out.String() != "format=dot&kind=x */*" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestCancelledQuestion(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, Config{}, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := c.Events(ctx, Query{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestStatusRoundTrip(t *testing.T) {
	want := Status{Version: "v1", Host: "a", Capture: &model.CaptureStats{Edges: 3}}
	c := serve(t, Config{}, func(w http.ResponseWriter, _ *http.Request) {
		body, _ := json.Marshal(want)
		answer(w, "application/json; charset=utf-8", 200, string(body))
	})
	if got, err := c.Status(t.Context()); err != nil || got.Version != "v1" || got.Capture.Edges != 3 || got.Outbox != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestPatient waits for an answer for longer than a usual client does.
func TestPatient(t *testing.T) {
	hasty := make(chan struct{})
	c := serve(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		<-hasty
		answer(w, "application/json", http.StatusOK, "{}")
	})
	c.http.Transport.(*http.Transport).ResponseHeaderTimeout = time.Millisecond
	patient := c.Patient()
	defer patient.Close()
	told := make(chan error)
	go func() { told <- patient.Tell(t.Context(), "store/compact", nil, new(struct{})) }()
	if err := c.Tell(t.Context(), "store/compact", nil, new(struct{})); err == nil {
		t.Error("it waited")
	}
	close(hasty)
	if err := <-told; err != nil {
		t.Error(err)
	}
	secure, err := New("https://manager:1984", Config{Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	if b := secure.Patient().http.Transport.(bearer); b.token != "t" || b.ResponseHeaderTimeout != 0 {
		t.Errorf("got %+v", b)
	}
}
