package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/model"
)

// reloading runs a manager of which nothing serves, with a configuration file.
func reloading(t *testing.T, content string, do func(path string, cfg serveConfig)) string {
	t.Helper()
	path := writeFile(t, content)
	sys, _, stderr := sandbox(nil, map[string]serveFunc{"manager": func(_ context.Context, cfg serveConfig) error {
		do(path, cfg)
		return nil
	}})
	var log locked
	sys.stderr = &log
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	if code := execute(t.Context(), []string{"manager", "--config", path, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, sys); code != 0 {
		t.Errorf("exit code %d: %s%s", code, stderr, log.String())
	}
	return log.String()
}

// serving is a server that does this with new settings.
func serving(apply func(*server) error) part {
	return part{ready: func() error { return nil }, alive: func(context.Context) error { return nil }, apply: apply}
}

// locked is a buffer for several writers.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func rewrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReload(t *testing.T) {
	log := reloading(t, "log-level: warn\n", func(path string, cfg serveConfig) {
		var applied []time.Duration
		cfg.Live.on(serving(func(next *server) error {
			applied = append(applied, next.retention.MaxAge)
			return nil
		}))
		cfg.Logger.Info("not to be seen")
		rewrite(t, path, "log-level: info\nretention-age: 1h\nheartbeat-profile: fast\nmemory-limit: 300MiB\n")
		got, err := cfg.Live.Reload()
		if err != nil || !slices.Equal(got.Applied, []string{"log-level", "memory-limit", "retention-age"}) || !slices.Equal(got.Restart, []string{"heartbeat-profile"}) {
			t.Errorf("got %+v, %v", got, err)
		}
		cfg.Logger.Info("to be seen")
		if !slices.Equal(applied, []time.Duration{time.Hour}) || cfg.Live.Stats().MemoryLimit != 300<<20 {
			t.Errorf("applied %v, memory %d", applied, cfg.Live.Stats().MemoryLimit)
		}
		got, err = cfg.Live.Reload() // what counts already is not told again, what waits for the restart is
		if err != nil || len(got.Applied) != 0 || len(got.Restart) != 1 {
			t.Errorf("got %+v, %v", got, err)
		}
		for content, want := range map[string]string{
			"log-levl: info\n":       `:1: unknown key "log-levl"; did you mean log-level?`,
			"retention-age: -1h\n":   "--retention-age/CASSINI_RETENTION_AGE -1h0m0s: want a duration above 0",
			"memory-limit: plenty\n": `invalid value "plenty": want a number of bytes such as 512MiB or 2GiB`,
		} {
			rewrite(t, path, content)
			_, err := cfg.Live.Reload()
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v", content, err)
			}
			if s := cfg.Live.Stats(); s.ReloadOK || s.MemoryLimit != 300<<20 {
				t.Errorf("%q: %+v", content, s)
			}
		}
		cfg.Live.on(serving(func(*server) error { return errors.New("no such certificate") }))
		rewrite(t, path, "log-level: error\n")
		if _, err := cfg.Live.Reload(); err == nil {
			t.Error("what the server refuses must not be taken")
		}
	})
	if strings.Contains(log, "not to be seen") || !strings.Contains(log, "to be seen") || !strings.Contains(log, "the one before stays") {
		t.Errorf("log:\n%s", log)
	}
}

func TestReloadOnSignal(t *testing.T) {
	reloading(t, "", func(path string, cfg serveConfig) {
		applied := make(chan struct{}, 1)
		cfg.Live.on(serving(func(*server) error {
			applied <- struct{}{}
			return nil
		}))
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		<-applied
	})
}

func TestOperated(t *testing.T) {
	reloading(t, "", func(path string, cfg serveConfig) {
		cfg.Live.on(serving(func(*server) error { return nil }))
		h := operated(http.NotFoundHandler(), cfg)
		post := func() *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("POST", "/-/reload", nil))
			return w
		}
		var got model.Reloaded
		if w := post(); w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &got) != nil || got.Restart == nil {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		rewrite(t, path, "nonsense")
		if w := post(); w.Code != 422 || !strings.Contains(w.Body.String(), "the configuration before stays: ") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		r := httptest.NewRequest("POST", "/-/reload", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 403 {
			t.Errorf("a page of another site: %d", w.Code)
		}
	})
}

func TestMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	none := func(string) string { return "" }
	limitMemory(1<<30, none)
	if memoryLimit() != 1<<30 {
		t.Errorf("limit is %d", memoryLimit())
	}
	for text, want := range map[string]uint64{"2GiB": 2 << 30, "off": 0} { // also after a limit that was set
		if limitMemory(0, func(string) string { return text }); memoryLimit() != want {
			t.Errorf("GOMEMLIMIT=%s: %d", text, memoryLimit())
		}
	}
	debug.SetMemoryLimit(math.MaxInt64)
	if memoryLimit() != 0 {
		t.Errorf("limit is %d", memoryLimit())
	}
	files := map[string]string{
		"/proc/self/cgroup":                                      "1:name=x:/\n0::/system.slice/cassini.service\n",
		"/sys/fs/cgroup/system.slice/memory.max":                 "400000\n",
		"/sys/fs/cgroup/system.slice/cassini.service/memory.max": "max\n",
	}
	read := func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	if got := cgroupLimit(read); got != 400000 {
		t.Errorf("limit of the cgroup is %d", got)
	}
	delete(files, "/proc/self/cgroup")
	if got := cgroupLimit(read); got != 0 {
		t.Errorf("without cgroups it is %d", got)
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]size{"0": 0, "1": 1, "512MiB": 512 << 20, "2 GiB": 2 << 30, "1536KiB": 1536 << 10, "7B": 7, "1TiB": 1 << 40} {
		var s size
		if err := s.Set(text); err != nil || s != want {
			t.Errorf("%q is %d, %v", text, s, err)
		}
		var again size
		if err := again.Set(s.String()); err != nil || again != s {
			t.Errorf("%q became %q", text, s.String())
		}
	}
	for _, text := range []string{"", "x", "-1", "1KB", "1.5GiB", "9999999TiB", "MiB"} {
		if err := new(size).Set(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestLogLevels(t *testing.T) {
	if logLevel("debug") != slog.LevelDebug || logLevel("error") != slog.LevelError {
		t.Error("levels are mixed up")
	}
}

func TestDebugging(t *testing.T) {
	dir := t.TempDir()
	reloading(t, "data-dir: "+dir+"\nslow-request: 1s\n", func(_ string, cfg serveConfig) {
		h := debugging(cfg.Live.flight)
		ask := func(method, target string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
			return w
		}
		if w := ask("GET", "/debug/pprof/goroutine?debug=1"); w.Code != 200 || !strings.Contains(w.Body.String(), "TestDebugging") {
			t.Errorf("%d %.200s", w.Code, w.Body)
		}
		var file struct{ File string }
		if w := ask("POST", "/debug/flight"); w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &file) != nil {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if info, err := os.Stat(file.File); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%+v, %v", info, err)
		}
		cfg.Live.served("GET /fast", 999*time.Millisecond)
		cfg.Live.served("GET /slow", time.Second)
		for cfg.Live.Stats().Flight.Written < 2 {
			time.Sleep(time.Millisecond)
		}
	})
	w := httptest.NewRecorder()
	debugging(nil).ServeHTTP(w, httptest.NewRequest("POST", "/debug/flight", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), "--flight-recorder") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
