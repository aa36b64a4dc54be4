package httpd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestUntil ends a server in the middle of a request, which ends with it.
func TestUntil(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	server := New(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		_, _ = io.WriteString(w, "last words")
	}), slog.New(slog.DiscardHandler))
	ended := make(chan error)
	go func() { ended <- Until(ctx, server, func() error { return server.Serve(l) }) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "last words" {
		t.Errorf("got %q, %v", text, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUntilItFails(t *testing.T) {
	broken := errors.New("broken")
	server := New(t.Context(), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err := Until(t.Context(), server, func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
