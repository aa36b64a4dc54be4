package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"cassini/model"
)

func TestWhatPeopleSayToIncidents(t *testing.T) {
	until := now.Add(5000 * 3600 * 1e9).Format("2006-01-02T15:04:05Z")
	for body, c := range map[string]struct {
		path, said string
		err        error
		status     int
		text       string
	}{
		`{"incident":"nobody's","by":"ann","why":"mine"}`: {"incidents/ack", "By:ann (192.0.2.1:1234)", nil, 404, "was forgotten meanwhile"},
		`{"incident":"x"}`:                  {"incidents/ack", "ack x", fmt.Errorf("incident x: %w", ErrUnknown), 404, "not known here"},
		`{"incident":"x","undo":true}`:      {"incidents/ack", "ack x <nil>", fmt.Errorf("x: %w", ErrInvalid), 400, "invalid"},
		`{"incident":1}`:                    {"incidents/ack", "", nil, 400, "not the JSON that is wanted"},
		`{"incident":"x","why":"a\u0007b"}`: {"incidents/ack", "", nil, 400, "control characters"},
		`{"subject":"web-*","until":"` + until + `","why":"work","by":"ann"}`:     {"silences", "Subject:web-* By:ann (192.0.2.1:1234)", nil, 200, `"id":"s1"`},
		`{"subject":"` + strings.Repeat("x", 2000) + `","until":"` + until + `"}`: {"silences", "", nil, 400, "1000 bytes"},
		`{"id":"s1"}`:                       {"silences/end", "end s1", nil, 200, `"id":"s1"`},
		`{"id":"s2"}`:                       {"silences/end", "end s2", fmt.Errorf("silence s2: %w", ErrUnknown), 404, "not known here"},
		`{"id":"s3"}`:                       {"silences/end", "end s3", fmt.Errorf("the disk is full"), 503, "the disk is full"},
		strings.Repeat(" ", maxAlertBody+1): {"silences", "", nil, 413, "too large"},
	} {
		b := newBackend()
		b.err = c.err
		w := do(handler(b), "POST", "/api/v1/"+c.path, body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%.80s: %d %s", body, w.Code, w.Body)
		}
		if said := strings.Join(b.said, "; "); !strings.Contains(said, c.said) || (c.said == "") != (said == "") {
			t.Errorf("%.80s: said %q", body, said)
		}
	}
	if w := do(handler(newBackend()), "POST", "/api/v1/silences", "{}", header("Content-Type", "text/plain")); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("got %d", w.Code)
	}
	for _, path := range []string{"silences", "alerts/receivers"} {
		if w := do(handler(newBackend()), "GET", "/api/v1/"+path, ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != "[]" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestAgentsDoNotWriteForTheManager(t *testing.T) {
	for _, pkg := range []string{model.PackageAcks, model.PackageSilences} {
		b := newBackend()
		w := do(handler(b), "POST", "/api/v1/documents", `{"host":"a","documents":[{"host":"a","package":"`+pkg+`","key":"k","time":"2026-11-20T19:26:03Z","body":{}}]}`)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "only the manager") || len(b.log) != 0 {
			t.Errorf("%s: %d %s", pkg, w.Code, w.Body)
		}
	}
}
