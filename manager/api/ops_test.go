package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"cassini/manager/enroll"
)

func TestReload(t *testing.T) {
	b := newBackend()
	if w := do(handler(b), "POST", "/-/reload", ""); w.Code != 200 || w.Body.String() != `{"applied":["log-level"],"restart":[]}`+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.ready = errors.New("c.yaml:1: unknown key")
	wantProblem(t, do(handler(b), "POST", "/-/reload", ""), 422, "the configuration before stays: c.yaml:1")
	wantProblem(t, do(handler(b), "GET", "/-/reload", ""), 405, "only POST")
	cfg := config(b)
	cfg.Reload = nil
	wantProblem(t, do(New(cfg), "POST", "/-/reload", ""), 404, "no configuration")
	for _, r := range (&server{}).table() {
		if r.path == "/-/reload" && needed(r) != enroll.RoleAdmin {
			t.Errorf("a reload asks for the role %q", needed(r))
		}
	}
}

func TestDebug(t *testing.T) {
	cfg := config(newBackend())
	var told []string
	cfg.Requests = &Requests{}
	cfg.Served = func(route string, _ time.Duration) { told = append(told, route) }
	wantProblem(t, do(New(cfg), "GET", "/debug/pprof/", ""), 404, "nothing at")
	cfg.Debug = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	if w := do(New(cfg), "GET", "/debug/pprof/heap", ""); w.Code != 200 || w.Body.String() != "/debug/pprof/heap" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if needed(debugRoute()) != enroll.RoleAdmin {
		t.Errorf("asks for the role %q", needed(debugRoute()))
	}
	do(New(cfg), "GET", "/api/v1/status", "")
	if !slices.Equal(told, []string{"GET /api/v1/status"}) {
		t.Errorf("told of %v: who asks for a profile says how long that takes", told)
	}
}

func TestBackup(t *testing.T) {
	table := (&server{}).table()
	b := newBackend()
	if w := do(handler(b), "GET", "/api/v1/backup", ""); w.Code != 200 || w.Body.String() != "backup" || w.Header().Get("Content-Type") != mediaGzip {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	b.err = errors.New("disk is gone")
	wantProblem(t, do(handler(b), "GET", "/api/v1/backup", ""), 500, "disk is gone")
	b.stale = b.err // it fails on the way
	real := httptest.NewServer(handler(b))
	defer real.Close()
	resp, err := real.Client().Get(real.URL + "/api/v1/backup")
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("half a backup was taken for whole")
	}
	for _, r := range table {
		if r.path == "/api/v1/backup" && needed(r) != enroll.RoleAdmin {
			t.Errorf("a backup, with keys in it, asks for the role %q", needed(r))
		}
	}
}
