package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/model"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	return context.WithCancel(t.Context())
}

// heard is one request that a server got.
type heard struct {
	path   string
	header http.Header
	body   []byte
}

// listening is a server that answers as it is told.
func listening(t *testing.T, answer http.HandlerFunc) (url string, all func() []heard) {
	t.Helper()
	var mu sync.Mutex
	var list []heard
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		list = append(list, heard{r.URL.Path, r.Header, body})
		mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []heard { mu.Lock(); defer mu.Unlock(); return list }
}

func sample() Notice {
	return Notice{Status: StatusFiring, print: "p1", Incident: model.Incident{
		ID: "service-gone-1", Kind: model.IncidentServiceGone, Severity: model.SeverityWarning, State: model.IncidentOpen, Opened: t0, Changed: t0, Cause: "service:web/nginx:80",
		Subjects: []string{"service:web/nginx:80"}, Summary: "nginx is gone", Action: "look", Affected: &model.Affected{Services: 2, First: []string{"service:a/b:1"}},
	}}
}

func receiver(t *testing.T, s Settings) Receiver {
	t.Helper()
	list, err := s.Receivers("boss")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(list[0].Close)
	return list[0]
}

func TestAlertmanagerGetsAlerts(t *testing.T) {
	url, all := listening(t, nil)
	r := receiver(t, Settings{Alertmanagers: []string{url + "/prefix"}})
	now := t0.Add(time.Minute)
	worse := sample()
	before := worse.Incident
	worse.Before, worse.Incident.Severity = &before, model.SeverityCritical
	over := sample()
	over.Status, over.Incident.State, over.Incident.Closed = StatusResolved, model.IncidentClosed, t0.Add(30*time.Second)
	if err := r.Send(t.Context(), []Notice{sample(), worse, over}, now); err != nil {
		t.Fatal(err)
	}
	var got []alert
	if err := json.Unmarshal(all()[0].body, &got); err != nil || all()[0].path != "/prefix/api/v2/alerts" {
		t.Fatalf("%v: %s", err, all()[0].path)
	}
	if len(got) != 4 {
		t.Fatalf("got %+v", got)
	}
	first := got[0]
	if first.Labels["alertname"] != "CassiniServiceGone" || first.Labels["host"] != "web" || first.Labels["severity"] != "warning" || !first.StartsAt.Equal(t0) ||
		!first.EndsAt.Equal(now.Add(aliveFor)) || first.Annotations["affected"] != "2 services, 0 programs, 0 hosts: service:a/b:1" {
		t.Errorf("got %+v", first)
	}
	if got[1].Labels["severity"] != "warning" || !got[1].EndsAt.Equal(now) || got[2].Labels["severity"] != "critical" {
		t.Errorf("another severity is another alert: %+v", got[1:3])
	}
	if !got[3].EndsAt.Equal(t0.Add(30 * time.Second)) {
		t.Errorf("its end: %+v", got[3])
	}
}

func TestWebhookIsSigned(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, all := listening(t, nil)
	r := receiver(t, Settings{Webhooks: []string{strings.Replace(url, "http://", "http://ann:pass@", 1) + "/hook?x=1"}, SecretFiles: []string{secret}})
	if err := r.Send(t.Context(), []Notice{sample()}, t0); err != nil {
		t.Fatal(err)
	}
	h := all()[0]
	var m Message
	if err := json.Unmarshal(h.body, &m); err != nil || m.Incident.ID != "service-gone-1" || m.Manager != "boss" || m.Status != StatusFiring {
		t.Errorf("%v: %s", err, h.body)
	}
	if got := h.header.Get(HeaderSignature); got != Sign([]byte("key"), h.body, t0) || !strings.HasPrefix(got, "t=1795248000,v1=") {
		t.Errorf("signature %q", got)
	}
	if h.header.Get(HeaderDelivery) != "service-gone-1/p1" || !strings.HasPrefix(h.header.Get("Authorization"), "Basic ") || h.header.Get("Content-Type") != "application/json" {
		t.Errorf("header %v", h.header)
	}
	if err := os.Remove(secret); err != nil {
		t.Fatal(err)
	}
	if err := r.Send(t.Context(), []Notice{sample()}, t0); err == nil || !strings.Contains(err.Error(), "read the secret") {
		t.Errorf("without its secret: %v", err)
	}
}

// TestSignature holds it against what Python's hmac makes of "0.BODY".
func TestSignature(t *testing.T) {
	at := time.Unix(0, 0)
	if got := Sign([]byte("Jefe"), []byte("what do ya want for nothing?"), at); got != "t=0,v1=37f471929915ccd2cbbe79feb84ffcff4f2bb25e15fc41c2506687331ae179cc" {
		t.Errorf("got %s", got)
	}
	a, b := Sign([]byte("k"), []byte("x"), at), Sign([]byte("k"), []byte("x"), at.Add(time.Second))
	if a[len("t=0,v1="):] == b[len("t=1,v1="):] {
		t.Error("the time is not signed")
	}
}

func TestHTTPRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
		after  time.Duration
	}{
		"an error":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no room", http.StatusInternalServerError) }, `answered 500 Internal Server Error: "no room\n"`, 0},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "answered 302 Found", 0},
		"too many":   {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, "answered 429", 7 * time.Second},
		"a long break": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "999999999")
			w.WriteHeader(503)
		}, "answered 503", longRest},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := listening(t, c.answer)
			err := receiver(t, Settings{Webhooks: []string{url + "/very-secret"}}).Send(t.Context(), []Notice{sample()}, t0)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "very-secret") {
				t.Fatalf("got %v", err)
			}
			var wait *RetryAfter
			if errors.As(err, &wait) != (c.after > 0) || wait != nil && wait.After != c.after {
				t.Errorf("got %+v", wait)
			}
		})
	}
	err := receiver(t, Settings{Webhooks: []string{"http://127.0.0.1:1/very-secret"}}).Send(t.Context(), []Notice{sample()}, t0)
	if err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("nobody there: %v", err)
	}
}

// script is a program that tests write.
func script(t *testing.T, text string) *program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &program{argv: []string{path, "$(id)", "two words"}, manager: "boss", timeout: time.Minute}
}

func TestProgramGetsTheIncident(t *testing.T) {
	t.Setenv("CASSINI_TOKEN", "secret")
	out := filepath.Join(t.TempDir(), "out")
	p := script(t, `cat > `+out+`; echo "$#|$1|$2|$CASSINI_INCIDENT|$CASSINI_STATUS|$CASSINI_TOKEN|$(pwd)" >> `+out)
	if err := p.Send(t.Context(), []Notice{sample()}, t0); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	body, rest, _ := strings.Cut(string(raw), "\n")
	var m Message
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.Incident.Summary != "nginx is gone" {
		t.Errorf("%v: %s", err, body)
	}
	if rest != "2|$(id)|two words|service-gone-1|firing||/\n" {
		t.Errorf("got %q", rest)
	}
}

func TestProgramsThatFail(t *testing.T) {
	err := script(t, `echo broken >&2; head -c 100000 /dev/zero | tr '\0' x; exit 3`).Send(t.Context(), []Notice{sample()}, t0)
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "broken") || !strings.Contains(err.Error(), "bytes more") || len(err.Error()) > 2*maxOutput {
		t.Errorf("got %.300v", err)
	}
	p := script(t, `sleep 1000 & sleep 1000`)
	p.timeout = 100 * time.Millisecond
	if err := p.Send(t.Context(), []Notice{sample()}, t0); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("got %v", err)
	}
	if err := (&program{argv: []string{"/nonexistent"}, timeout: time.Second}).Send(t.Context(), []Notice{sample()}, t0); err == nil {
		t.Error("a program that is not there")
	}
}

func FuzzParseProgram(f *testing.F) {
	f.Add("/bin/page --team ops")
	f.Add(`["/bin/page", "two words"]`)
	f.Add("[")
	f.Fuzz(func(t *testing.T, line string) {
		argv, err := ParseProgram(line)
		if err == nil && (len(argv) == 0 || !filepath.IsAbs(argv[0])) {
			t.Errorf("%q starts %q", line, argv[0])
		}
	})
}
