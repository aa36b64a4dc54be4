package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cassini/manager/audit"
	"cassini/model"
)

// alertsAPI answers as a manager; told are the bodies that were posted, by path.
func alertsAPI(t *testing.T) (url string, told map[string]string) {
	t.Helper()
	told = make(map[string]string)
	bodies := map[string]any{
		"POST incidents/ack": model.Incident{ID: "service-gone-1", Summary: "nginx is gone"},
		"POST silences":      model.Silence{ID: "s1", Until: now.Add(time.Hour)},
		"POST silences/end":  model.Silence{ID: "s1"},
		"GET silences": []model.Silence{
			{ID: "s1", Subject: "web-*", By: "ann", Until: now.Add(time.Hour), Why: "work"}, {ID: "s0", Kind: "new-listener", By: "bob", Until: now.Add(-time.Hour), Why: "was\x1b[2J"},
		},
		"GET alerts/receivers": []model.ReceiverStats{{Name: "webhook/pager", Firing: 2, Sent: 1234, Pending: 1, Oldest: now.Add(-time.Minute), Error: "refused"}},
		"GET audit":            []audit.Entry{{At: now, Who: "viewer (token 1)", From: "10.0.0.1:5", Action: "token.create", Result: audit.Refused, Status: 403, Why: "not for you"}},
		"GET identities": []model.HostIdentity{
			{Host: "web", MachineID: "m1", MACs: []string{"02:00:00:00:00:01"}, Known: now, Heard: now, Shared: []model.SharedIdentity{{Host: "copy", Relation: "cloned", Original: true}}},
			{Host: "copy", MachineID: "m1", Known: now, Heard: now, Shared: []model.SharedIdentity{{Host: "web", Relation: "cloned"}, {Host: "x", Relation: "one-kernel"}, {Host: "y", Relation: "renamed"}, {Host: "z", Relation: "undecided"}}},
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/api/v1/")
		raw, _ := io.ReadAll(r.Body)
		told[path] = string(raw) + r.URL.RawQuery
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(bodies[r.Method+" "+path])
	}))
	t.Cleanup(server.Close)
	return server.URL, told
}

func TestWhatIsSaidToIncidents(t *testing.T) {
	url, told := alertsAPI(t)
	for line, want := range map[string]struct{ out, path, told string }{
		"incidents ack service-gone-1 --why mine --for 2h": {"service-gone-1 is acknowledged by ann: nginx is gone\n", "incidents/ack", `"by":"ann","until":"`},
		"incidents ack service-gone-1 --undo":              {"service-gone-1 is nobody's: nginx is gone\n", "incidents/ack", `"undo":true`},
		"silence web-* --why work --by bob":                {"silence s1 until ", "silences", `{"subject":"web-*","by":"bob","until":"`},
		"silence end s1":                                   {"silence s1 has ended\n", "silences/end", `{"id":"s1"}`},
		"silence list":                                     {"s0  ended     -      new-listener  -         ", "", ""},
		"receivers":                                        {"webhook/pager  -       2       1,234  0       1        1m ago  -           refused\n", "", ""},
		"audit --since 24h --result refused":               {"refused (403)  not for you\n", "audit", "limit=100&result=refused&since="},
		"identity --shared":                                {"copy is its clone\n", "identities", "shared=true"},
		"identity copy":                                    {"it is a clone of web; on one machine with x; was called y; with z: undecided, until both are heard at one time\n", "identities", "host=copy"},
	} {
		got := cassini(t, map[string]string{"USER": "ann", "CASSINI_API": url}, strings.Fields(line)...)
		if got.code != 0 || !strings.Contains(got.stdout, want.out) || strings.Contains(got.stdout, "\x1b") {
			t.Errorf("%s: exit code %d, stderr %q, got\n%s", line, got.code, got.stderr, got.stdout)
		}
		if want.path != "" && !strings.Contains(told[want.path], want.told) {
			t.Errorf("%s: told %s", line, told[want.path])
		}
	}
	for line, want := range map[string]string{
		"incidents ack": "want the ID of an incident", "silence": "want a HOST or NODE", "silence web-*": "want --why", "silence web-* --why x --for 0s": "--for 0s", "silence end": "want the ID of a silence",
		"audit --limit 0": "--limit must be 1 or more", "incidents ack x --for -1s": "--for -1s",
		"manager --alert-webhook ftp://x": "want a URL such as", "manager --alert-program page": "want the whole path", "manager --alert-learn -1s": "want a duration above 0",
		"manager --alert-webhook-secret-file /x": "there is no --alert-webhook to sign",
	} {
		if got := cassini(t, map[string]string{"CASSINI_API": url}, strings.Fields(line)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
}
