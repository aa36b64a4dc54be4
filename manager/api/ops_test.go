package api

import (
	"errors"
	"testing"

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
