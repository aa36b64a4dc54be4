package manager

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

// refresher counts refreshes, and lets each begin and end when told.
type refresher struct {
	begun atomic.Int64
	gate  chan struct{} // nil lets all through
	err   error
}

func (r *refresher) Refresh(ctx context.Context) error {
	r.begun.Add(1)
	if r.gate != nil {
		select {
		case <-r.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return r.err
}

func TestWhoComesDuringARefreshGetsTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Config{})
		defer m.agents.stop()
		ref := &refresher{gate: make(chan struct{})}
		m.RegisterRefresher("h", ref)
		var wg sync.WaitGroup
		var answered atomic.Int64
		asks := func(n int) {
			for range n {
				wg.Go(func() {
					if err := m.Refresh(t.Context(), "h"); err != nil {
						t.Error(err)
					}
					answered.Add(1)
				})
			}
			synctest.Wait()
		}
		asks(1)
		asks(20) // the refresh that runs began before they asked
		if n := ref.begun.Load(); n != 1 {
			t.Errorf("%d began", n)
		}
		ref.gate <- struct{}{}
		synctest.Wait()
		if n, a := ref.begun.Load(), answered.Load(); n != 2 || a != 1 {
			t.Errorf("%d began, %d answered", n, a)
		}
		ref.gate <- struct{}{}
		wg.Wait()
		if n := ref.begun.Load(); n != 2 {
			t.Errorf("%d began for 21 questions", n)
		}
	})
}

func TestRefreshIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New(Config{})
		defer m.agents.stop()
		m.RegisterRefresher("slow", &refresher{gate: make(chan struct{})})
		m.RegisterRefresher("broken", &refresher{err: errors.New("no map")})
		m.RegisterRefresher("fine", &refresher{})
		begin := time.Now()
		err := m.Refresh(t.Context(), "")
		if took := time.Since(begin); took > refreshTimeout || err == nil || strings.Contains(err.Error(), "fine") ||
			!strings.Contains(err.Error(), "slow: ") || !strings.Contains(err.Error(), "broken: no map") {
			t.Errorf("after %v: %v", took, err)
		}
		if err := m.Refresh(t.Context(), "nobody"); err != nil {
			t.Error(err)
		}
	})
}

func TestRemoteAgents(t *testing.T) {
	var asked atomic.Int64
	status := http.StatusNoContent
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" && r.URL.Path == "/api/v1/refresh" {
			asked.Add(1)
		}
		w.WriteHeader(status)
	}))
	defer agent.Close()
	r := start(t, t.TempDir())
	if err := r.RegisterAgent("web-17", agent.URL); err != nil {
		t.Fatal(err)
	}
	_, header, _ := r.get("/api/v1/dependencies")
	if asked.Load() != 1 || header.Get("Cassini-Stale") != "" {
		t.Errorf("asked %d times, stale %q", asked.Load(), header.Get("Cassini-Stale"))
	}
	status = http.StatusFound // elsewhere is not where we go
	_, header, _ = r.get("/api/v1/dependencies")
	if !strings.Contains(header.Get("Cassini-Stale"), "web-17: ") {
		t.Errorf("stale %q", header.Get("Cassini-Stale"))
	}
	agent.Close()
	_, header, _ = r.get("/api/v1/services")
	if !strings.Contains(header.Get("Cassini-Stale"), "refused") {
		t.Errorf("stale %q", header.Get("Cassini-Stale"))
	}
}

func TestAgentURLs(t *testing.T) {
	m := New(Config{})
	for url, ok := range map[string]bool{
		"http://127.0.0.1:1985": true, "http://[::1]:1985/": true, "http://localhost:1": true,
		"https://127.0.0.1:1": false, "http://127.0.0.1": false, "http://10.0.0.1:1": false, "http://evil:1": false, "http://a@127.0.0.1:1": false,
		"http://127.0.0.1:1/x": false, "http://127.0.0.1:1?x": false, "": false, "127.0.0.1:1": false, "http://127.0.0.1:1#x": false,
	} {
		if err := m.RegisterAgent("h", url); ok != (err == nil) {
			t.Errorf("%q: %v", url, err)
		}
	}
	for i := range maxAgents + 5 {
		err := m.RegisterAgent(fmt.Sprint("h", i), "http://127.0.0.1:1")
		if (i < maxAgents-1) != (err == nil) {
			t.Fatalf("agent %d: %v", i, err)
		}
	}
	var _ model.Refresher = remote{}
}
