package api

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"cassini/manager/enroll"
	"cassini/model"
)

func TestGroups(t *testing.T) {
	h := handler(filled(t))
	var list []model.FunctionalGroup
	w := do(h, "GET", "/api/v1/groups?sort=name", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) < 2 || list[0].By != model.GroupByExecutable || list[0].Since.IsZero() {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if want := now.Add(-23 * time.Hour).Truncate(time.Minute); !list[0].Since.Equal(want) {
		t.Errorf("since %v, want %v", list[0].Since, want)
	}
	w = do(h, "GET", "/api/v1/groups?limit=1", "")
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) != 1 {
		t.Errorf("%v: %s", err, w.Body)
	}
	var one model.FunctionalGroup
	w = do(h, "GET", "/api/v1/group?name=nginx", "")
	if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil || one.Name != "/usr/sbin/nginx" || len(one.Members) != 2 || one.Services != 1 || one.Births != 1 {
		t.Errorf("%v: %s", err, w.Body)
	}
	w = do(h, "GET", "/api/v1/group?by=label", "") // nobody has joined: all have none
	if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil || one.Name != "" || len(one.Members) < 3 {
		t.Errorf("%v: %s", err, w.Body)
	}
	wantProblem(t, do(h, "GET", "/api/v1/groups?label=rack", ""), 400, "is for by=label")
	wantProblem(t, do(h, "GET", "/api/v1/groups?by=owner", ""), 400, "want one of executable, unit, image")
	wantProblem(t, do(h, "GET", "/api/v1/group?name=zzz", ""), 404, `there is no group "zzz" by executable`)
	wantProblem(t, do(h, "GET", "/api/v1/group?name=USR", ""), 404, "did you mean /usr/")
	wantProblem(t, do(h, "GET", "/api/v1/groups?since=2026-11-20T19:26:03Z&at=2026-11-20T19:00:00Z", ""), 400, `"since" is later than "at"`)
}

// Tenants come from enrolment.
func TestGroupsByEnrolment(t *testing.T) {
	g := newGuarded(t)
	w := do(g.h, "POST", "/api/v1/enroll", joinBody(t, "web-17"), g.token(enroll.TokenRequest{Role: enroll.RoleAgent, Tenant: "shop"}))
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	for by, want := range map[string]string{model.GroupByTenant: "shop"} {
		var list []model.FunctionalGroup
		w := do(g.h, "GET", "/api/v1/groups?by="+by, "", g.token(enroll.TokenRequest{Role: enroll.RoleViewer}))
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list) == 0 || !slices.ContainsFunc(list, func(f model.FunctionalGroup) bool { return f.Name == want && f.Services == 1 }) {
			t.Errorf("by %s: %v: %s", by, err, w.Body)
		}
	}
}
