package api

import (
	"net/http"
	"strings"
	"testing"

	"cassini/manager/enroll"
)

func TestName(t *testing.T) {
	h := New(config(filled(t)))
	for body, want := range map[string]string{
		`{"host":"debian","machine":{"machine_id":"m1"}}`:      `{"host":"debian"}`,
		`{"host":"debian","machine":{"machine_id":"another"}}`: `{"host":"debian~2"}`,
		`{"host":"debian"}`: `{"host":"debian"}`,
	} {
		if w := do(h, "POST", "/api/v1/enroll/name", body); w.Code != http.StatusOK || strings.Join(strings.Fields(w.Body.String()), "") != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	for body, want := range map[string]string{
		`{"host":"debian~2"}`: "host name", `{}`: "host name", `[]`: "JSON",
		`{"host":"debian","machine":{"macs":["x"]}}`:                                  "hardware",
		`{"host":"debian","machine":{"dmi_uuid":"` + strings.Repeat("x", 200) + `"}}`: "want up to",
	} {
		wantProblem(t, do(h, "POST", "/api/v1/enroll/name", body), http.StatusBadRequest, want)
	}
	g := newGuarded(t)
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll/name", `{"host":"debian"}`), http.StatusUnauthorized, "who asks is not known")
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll/name", `{"host":"debian"}`, g.agent("web-17")), http.StatusForbidden, "not for agents")
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll/name", `{"host":"debian"}`, g.token(enroll.TokenRequest{Role: enroll.RoleAdmin})), http.StatusConflict, "in its certificate")
}
