package outbox

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"cassini/model"
	"cassini/model/delivery"
)

// peer is a manager as it looks on the wire.
type peer struct {
	t     *testing.T
	codec *delivery.Codec

	mu     sync.Mutex
	speaks string // "" is one of before there were versions
	status int    // of the next answers; 0 is 200
	got    []string
	proto  int // of HTTP
}

func newPeer(t *testing.T, speaks string) (*peer, *HTTPSink) {
	t.Helper()
	codec, err := delivery.NewCodec(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, speaks: speaks, codec: codec}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, NewHTTPSink(server.URL, "")
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proto = r.ProtoMajor
	if p.speaks != "" {
		w.Header().Set(delivery.Header, p.speaks)
		w.Header().Set("Accept-Encoding", "zstd")
	}
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "zstd" && p.speaks != "" {
		body, _ = p.codec.Decompress(body)
	}
	switch {
	case p.status != 0:
		w.WriteHeader(p.status)
	case r.URL.Path == "/-/healthy":
	case r.URL.Path == "/api/v1/deliveries" && p.speaks == "": // an older manager does not know it
		w.WriteHeader(http.StatusNotFound)
		return
	case !json.Valid(body):
		w.WriteHeader(http.StatusBadRequest)
		return
	default:
		_ = json.NewEncoder(w).Encode(model.Receipt{})
	}
	p.got = append(p.got, r.URL.Path+" "+r.Header.Get(delivery.Header)+" "+r.Header.Get("Content-Encoding"))
}

func (p *peer) become(speaks string, status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.speaks, p.status, p.got = speaks, status, nil
}

func (p *peer) expect(want ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Join(p.got, ", ") != strings.Join(want, ", ") {
		p.t.Errorf("the manager was asked %q, want %q", p.got, want)
	}
	p.got = nil
}

func aBatch(t *testing.T, n int) model.Batch {
	return model.Batch{Host: "h", First: model.Position{Incarnation: 1, Sequence: 1}, Documents: numbered(t, 0, n)}
}

// TestSpeaksWhatTheManagerSpeaks meets managers of several versions, also one that is
// replaced by another while the agent runs.
func TestSpeaksWhatTheManagerSpeaks(t *testing.T) {
	p, s := newPeer(t, "1-2")
	deliver := func(want error) {
		t.Helper()
		if _, err := s.Deliver(t.Context(), aBatch(t, 20)); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	deliver(nil)
	p.expect("/-/healthy  ", "/api/v1/deliveries 2 zstd")
	deliver(nil)
	p.expect("/api/v1/deliveries 2 zstd")
	p.become("", 0) // an older manager
	deliver(errChanged)
	deliver(nil)
	p.expect("/-/healthy  ", "/api/v1/documents 1 ")
	p.become("2-3", 0) // a newer one
	deliver(errChanged)
	deliver(nil)
	p.expect("/api/v1/documents 1 ", "/-/healthy  ", "/api/v1/deliveries 2 zstd")
	p.become("3-4", 0) // too new
	deliver(delivery.ErrVersion)
	deliver(delivery.ErrVersion)
	p.expect("/api/v1/deliveries 2 zstd", "/-/healthy  ")
	p.become("1-2", 0)
	deliver(nil)
	if got := s.Stats(); got.Protocol != 2 || got.WireBytes == 0 || got.WireBytes >= got.Bytes {
		t.Errorf("stats are %+v", got)
	}
}

// TestRefusals: only what a manager that understood says of documents is about them.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name, speaks string
		status       int
		invalid      bool
	}{
		{"a bad document", "1-2", 400, true},
		{"too much", "1-2", 413, true},
		{"another manager did not understand", "", 400, false},
		{"a proxy is in trouble", "", 502, false},
		{"no room", "1-2", 503, false},
		{"not allowed", "1-2", 403, false},
		{"too old", "1-2", 426, false},
	} {
		p, s := newPeer(t, "1-2")
		if _, err := s.Deliver(t.Context(), aBatch(t, 1)); err != nil {
			t.Fatal(err)
		}
		p.become(tc.speaks, tc.status)
		_, err := s.Deliver(t.Context(), aBatch(t, 1))
		if err == nil || errors.Is(err, model.ErrInvalidDocument) != tc.invalid {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestUnnumberedDocuments go the way of protocol 1.
func TestUnnumberedDocuments(t *testing.T) {
	p, s := newPeer(t, "1-2")
	b := aBatch(t, 1)
	b.First = model.Position{}
	if _, err := s.Deliver(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	p.expect("/-/healthy  ", "/api/v1/documents 2 ")
}

// TestHTTP2 speaks it over TLS, however the connection is made, and keeps it for a burst only.
func TestHTTP2(t *testing.T) {
	codec, err := delivery.NewCodec(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, speaks: "1-2", codec: codec}
	server := httptest.NewUnstartedServer(p)
	server.EnableHTTP2 = true
	conns := make(chan struct{}, 100)
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns <- struct{}{}
		}
	}
	server.StartTLS()
	defer server.Close()
	secure := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	secure.NextProtos = nil
	dial := func(ctx context.Context) (net.Conn, error) {
		cfg := secure.Clone()
		cfg.NextProtos = []string{"h2", "http/1.1"}
		return (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	for name, s := range map[string]*HTTPSink{"url": NewTLSSink(server.URL, "", secure), "dial": NewDialSink("https://example.com", "", dial)} {
		for range 5 {
			if _, err := s.Deliver(t.Context(), aBatch(t, 1)); err != nil {
				t.Fatal(err)
			}
		}
		s.client.CloseIdleConnections()
		p.mu.Lock()
		if p.proto != 2 || len(conns) != 1 {
			t.Errorf("%s: HTTP/%d over %d connections", name, p.proto, len(conns))
		}
		p.mu.Unlock()
		<-conns
	}
}
