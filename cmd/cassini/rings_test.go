package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// ringsAPI answers as a manager with rings, or one that has none yet; asked is the latest
// question.
func ringsAPI(t *testing.T, empty bool) (url string, asked *string) {
	t.Helper()
	asked = new(string)
	bodies := map[string]any{"rings": fixtureRings(), "liveness": fixtureLiveness(), "incidents": fixtureIncidents()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = strings.TrimPrefix(r.URL.String(), "/api/v1/")
		w.Header().Set("Content-Type", "application/json")
		body, ok := bodies[strings.TrimPrefix(r.URL.Path, "/api/v1/")]
		switch {
		case !ok:
			http.NotFound(w, r)
		case empty:
			_, _ = w.Write([]byte("[]\n"))
		default:
			_ = json.NewEncoder(w).Encode(body)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func fixtureRings() []model.RingHealth {
	return []model.RingHealth{{
		Ring:  model.Ring{ID: "subnet:10.0.0.0/24", Epoch: 7, Members: []model.RingMember{{Host: "web-17"}, {Host: "web-18"}}, Profile: model.StandardProfile()},
		State: model.RingTorn, Unwell: []string{"web-18"},
	}}
}

func fixtureLiveness() []model.HostLiveness {
	return []model.HostLiveness{
		{Host: "web-17", Incarnation: 2, State: "up", Since: now.Add(-time.Hour), Watch: "kernel", WatchedBy: []string{"web-18"}},
		{Host: "web-18", Incarnation: 1, State: "hung", Since: now.Add(-time.Minute), WatchedBy: []string{"web-17"}},
	}
}

func fixtureIncidents() []model.Incident {
	return []model.Incident{{
		ID: "web-17/2/1", Kind: model.VerdictHung, Severity: model.SeverityWarning, State: model.IncidentOpen, Opened: now.Add(-time.Minute), Subjects: []string{"web-18"},
		Reports: []model.Verdict{{Evidence: model.Evidence{Silent: 3 * time.Second, Observations: []model.Observation{{Observer: "web-17", Sight: model.SightKernel}}}}},
		Summary: "web-18: the agent hangs or starves, the host's kernel answers",
	}}
}

// TestRings shows each answer in each format, and what was asked for it.
func TestRings(t *testing.T) {
	url, asked := ringsAPI(t, false)
	for name, tc := range map[string]struct{ line, asked string }{
		"rings":          {"rings", "rings"},
		"rings.json":     {"rings -o json", "rings"},
		"hosts":          {"hosts", "liveness"},
		"hosts.json":     {"hosts -o json --host web-17 --state up", "liveness?host=web-17&state=up"},
		"incidents":      {"incidents", "incidents"},
		"incidents.json": {"incidents -o json --open --at 10m", "incidents?at=2026-11-20T11%3A50%3A00Z&open=true"},
		"incidents.past": {"incidents --at 2026-11-20T11:59:30Z", "incidents?at=2026-11-20T11%3A59%3A30Z"}, // ages are of that moment
	} {
		got := cassini(t, map[string]string{"CASSINI_API": url}, strings.Fields(tc.line)...)
		if got.code != 0 || got.stderr != "" || *asked != tc.asked {
			t.Errorf("%s: exit code %d, stderr %q, asked %q", name, got.code, got.stderr, *asked)
		}
		golden(t, name, got.stdout)
	}
}

func TestNoRings(t *testing.T) {
	url, _ := ringsAPI(t, true)
	for line, none := range map[string]string{"rings": "no rings: ", "hosts": "no hosts", "incidents": "no incidents\n"} {
		got := cassini(t, nil, line, "--api", url)
		if got.code != 0 || got.stdout != "" || !strings.HasPrefix(got.stderr, none) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q, %q", line, got.code, got.stdout, got.stderr)
		}
		got = cassini(t, nil, line, "-o", "json", "--api", url)
		if got.code != 0 || got.stdout != "[]\n" || got.stderr != "" {
			t.Errorf("%s: exit code %d, %q, %q", line, got.code, got.stdout, got.stderr)
		}
	}
}

// TestRingsWithoutAManager says what to do, and fails.
func TestRingsWithoutAManager(t *testing.T) {
	for _, line := range []string{"rings", "hosts", "incidents"} {
		got := cassini(t, map[string]string{"CASSINI_API": closedPort(t)}, line)
		if got.code != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, "cassini "+line+": cannot reach Cassini at ") {
			t.Errorf("%s: exit code %d, %q, %q", line, got.code, got.stdout, got.stderr)
		}
	}
}

func TestRingsUsage(t *testing.T) {
	for line, text := range map[string]string{
		"rings web-17": "web-17", "hosts -o dot": "dot", "incidents --at soon": "want a time such as", "incidents --open=maybe": "maybe",
	} {
		if got := cassini(t, nil, strings.Fields(line)...); got.code != 2 || !strings.Contains(got.stderr, text) {
			t.Errorf("%s: exit code %d, %q", line, got.code, got.stderr)
		}
	}
}
