package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"cassini/manager/enroll"
	"cassini/manager/guests"
)

// guarded is an API that asks who speaks, and those who may.
type guarded struct {
	t *testing.T
	a *enroll.Authority
	b *backend
	h http.Handler
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{t: t, b: filled(t)}
	cfg := config(g.b)
	var err error
	if g.a, err = enroll.Open(enroll.Config{Dir: t.TempDir(), Host: "manager"}, cfg.Now()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.a.Close() })
	cfg.Enroll = g.a
	g.h = New(cfg)
	return g
}

// later is the clock of the API.
var later = now.Add(time.Hour)

func (g *guarded) token(r enroll.TokenRequest) func(*http.Request) {
	g.t.Helper()
	text, _, err := g.a.CreateToken(r, later)
	if err != nil {
		g.t.Fatal(err)
	}
	return header("Authorization", "Bearer "+text)
}

func csr(t *testing.T) string {
	t.Helper()
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func joinBody(t *testing.T, host string) string {
	t.Helper()
	raw, err := json.Marshal(enroll.JoinRequest{Host: host, Request: csr(t)})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// agent lets a host join over the API, and is how it shows its certificate.
func (g *guarded) agent(host string) func(*http.Request) { return g.agentOf("", host) }

func (g *guarded) agentOf(tenant, host string) func(*http.Request) {
	g.t.Helper()
	w := do(g.h, "POST", "/api/v1/enroll", joinBody(g.t, host), g.token(enroll.TokenRequest{Role: enroll.RoleAgent, Tenant: tenant}))
	var joined enroll.Joined
	if err := json.Unmarshal(w.Body.Bytes(), &joined); err != nil || w.Code != http.StatusOK {
		g.t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	block, _ := pem.Decode([]byte(joined.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		g.t.Fatal(err)
	}
	return func(r *http.Request) {
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}}
	}
}

// TestWhoMayWhat asks for every route as everybody.
func TestWhoMayWhat(t *testing.T) {
	g := newGuarded(t)
	agent := g.agent("web-17")
	asking := []struct {
		name string
		edit func(*http.Request)
		rank int
	}{
		{"nobody", func(*http.Request) {}, 0},
		{"agent", agent, -1},
		{"viewer", g.token(enroll.TokenRequest{Role: enroll.RoleViewer}), 1},
		{"operator", g.token(enroll.TokenRequest{Role: enroll.RoleOperator}), 2},
		{"admin", g.token(enroll.TokenRequest{Role: enroll.RoleAdmin}), 3},
	}
	open := map[string]bool{"GET /-/healthy": true, "GET /-/ready": true, "POST /api/v1/enroll": true}
	agents := map[string]bool{"POST /api/v1/documents": true, "POST /api/v1/deliveries": true, "POST /api/v1/rings/join": true, "POST /api/v1/enroll/renew": true, "POST /api/v1/enroll/machine": true}
	ranks := map[string]int{"POST /api/v1/query": 1, "POST /api/v1/wiring": 1, "POST /api/v1/rings/rotate": 2, "POST /api/v1/incidents/ack": 2, "POST /api/v1/silences": 2, "POST /api/v1/silences/end": 2, "GET /api/v1/tokens": 3, "GET /api/v1/backup": 3, "GET /api/v1/audit": 3}
	s := &server{Config: config(g.b)}
	for _, r := range s.table() {
		name := r.method + " " + r.path
		rank := ranks[name]
		if rank == 0 {
			rank = map[string]int{"GET": 1, "POST": 3}[r.method]
		}
		for _, who := range asking {
			w := do(g.h, r.method, r.path, "", who.edit)
			refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
			want := who.rank < rank
			switch {
			case open[name]:
				want = false
			case agents[name]:
				want = who.name != "agent"
			case who.name == "agent":
				want = true
			}
			if refused != want {
				t.Errorf("%s as %s: %d %s", name, who.name, w.Code, w.Body)
			}
			if who.name == "nobody" && want && (w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "") {
				t.Errorf("%s as nobody: %d", name, w.Code)
			}
		}
	}
}

// TestNobodySpeaksForAnother lets an agent try in every way that comes to mind.
func TestNobodySpeaksForAnother(t *testing.T) {
	g := newGuarded(t)
	agent := g.agent("web-17")
	g.agent("db-1")
	g.agentOf("shop", "till-1")
	verdict := func(kind, subject, more string) string {
		return `{"host":"web-17","documents":[{"host":"web-17","package":"verdicts","key":"1.1","time":"2026-11-20T19:26:03Z","body":{"id":{"reporter":"web-17","incarnation":1,"sequence":1},"subject":{"host":"` + subject + `"},"kind":"` + kind + `"` + more + `}}]}`
	}
	doc := func(host string) string {
		return fmt.Sprintf(`{"host":%q,"package":"os","time":"2026-11-20T19:26:03Z","body":{}}`, host)
	}
	before := len(g.b.log)
	for name, tc := range map[string]struct {
		method, path, body string
		want               int
	}{
		"another's documents":        {"POST", "/api/v1/documents", `{"host":"db-1","documents":[` + doc("db-1") + `]}`, 403},
		"own body, another's in it":  {"POST", "/api/v1/documents", `{"host":"web-17","documents":[` + doc("db-1") + `]}`, 400},
		"two hosts, own first":       {"POST", "/api/v1/documents", `{"host":"web-17","documents":[],"host":"db-1"}`, 403},
		"two hosts, other spelling":  {"POST", "/api/v1/documents", `{"host":"web-17","documents":[` + doc("db-1") + `],"HOST":"db-1"}`, 403},
		"labels of its own":          {"POST", "/api/v1/documents", `{"host":"web-17","documents":[{"host":"web-17","package":"labels","key":"web-17","time":"2026-11-20T19:26:03Z","body":{"host":"web-17","labels":{"rack":"7"}}}]}`, 400},
		"a ring of its own":          {"POST", "/api/v1/documents", `{"host":"web-17","documents":[{"host":"web-17","package":"rings","key":"x","time":"2026-11-20T19:26:03Z","body":{"id":"x"}}]}`, 400},
		"the manager's verdict":      {"POST", "/api/v1/documents", `{"host":"web-17","documents":[{"host":"web-17","package":"verdicts","key":"(manager).1.1","time":"2026-11-20T19:26:03Z","body":{"id":{"reporter":"(manager)","incarnation":1,"sequence":1},"subject":{"host":"db-1"},"kind":"crashed"}}]}`, 400},
		"another's verdict as own":   {"POST", "/api/v1/documents", `{"host":"web-17","documents":[{"host":"web-17","package":"verdicts","key":"1.1","time":"2026-11-20T19:26:03Z","body":{"id":{"reporter":"db-1","incarnation":1,"sequence":1},"subject":{"host":"db-2"},"kind":"crashed"}}]}`, 400},
		"a verdict on a zone":        {"POST", "/api/v1/documents", verdict("segment-lost", "subnet:192.0.2.0/24", ""), 400},
		"a verdict on zones":         {"POST", "/api/v1/documents", verdict("partition", "db-1", ""), 400},
		"that it was a zone":         {"POST", "/api/v1/documents", verdict("corrected", "db-1", `,"was":"host-crashed","became":"segment-lost"`), 400},
		"that a zone is back":        {"POST", "/api/v1/documents", verdict("corrected", "db-1", `,"was":"segment-lost"`), 400},
		"a death in another tenant":  {"POST", "/api/v1/documents", verdict("host-crashed", "till-1", ""), 400},
		"no host":                    {"POST", "/api/v1/documents", `{"documents":[]}`, 403},
		"two values":                 {"POST", "/api/v1/documents", `{"host":"web-17"}{"host":"db-1"}`, 400},
		"no JSON":                    {"POST", "/api/v1/documents", `hello`, 400},
		"too large":                  {"POST", "/api/v1/documents", strings.Repeat(" ", maxBody+1), 413},
		"another's, numbered":        {"POST", "/api/v1/deliveries", `{"host":"db-1","incarnation":1,"sequence":1,"documents":[` + doc("db-1") + `]}`, 403},
		"own body, numbered":         {"POST", "/api/v1/deliveries", `{"host":"web-17","incarnation":1,"sequence":1,"documents":[` + doc("db-1") + `]}`, 400},
		"host in the query":          {"POST", "/api/v1/documents?host=web-17", `{"host":"db-1","documents":[]}`, 403},
		"another's ring":             {"POST", "/api/v1/rings/join", `{"host":"db-1"}`, 403},
		"what is known of another":   {"GET", "/api/v1/documents?host=db-1", "", 403},
		"what is known of all":       {"GET", "/api/v1/documents", "", 403},
		"first of two in the query":  {"GET", "/api/v1/documents?host=web-17&host=db-1", "", 400},
		"services":                   {"GET", "/api/v1/services?host=web-17", "", 403},
		"own documents":              {"POST", "/api/v1/documents", `{"host":"web-17","documents":[]}`, 200},
		"own ring":                   {"POST", "/api/v1/rings/join", `{"host":"web-17"}`, 200},
		"what is known of itself":    {"GET", "/api/v1/documents?host=web-17", "", 200},
		"its certificate once again": {"POST", "/api/v1/enroll/renew", joinBody(t, "db-1"), 200},
	} {
		w := do(g.h, tc.method, tc.path, tc.body, agent)
		if w.Code != tc.want {
			t.Errorf("%s: got %d, want %d: %s", name, w.Code, tc.want, w.Body)
		}
	}
	if len(g.b.log) != before {
		t.Errorf("%d documents were taken", len(g.b.log)-before)
	}
	for _, h := range g.a.Hosts() {
		if h.Host == "db-1" && !h.Renewed.IsZero() {
			t.Error("the certificate of another was renewed")
		}
	}
}

func TestRevokedOverTheAPI(t *testing.T) {
	g := newGuarded(t)
	agent, admin := g.agent("web-17"), g.token(enroll.TokenRequest{Role: enroll.RoleAdmin})
	body := `{"host":"web-17","documents":[]}`
	if w := do(g.h, "POST", "/api/v1/documents", body, agent); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := do(g.h, "POST", "/api/v1/enroll/revoke", `{"host":"web-17"}`, admin); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	wantProblem(t, do(g.h, "POST", "/api/v1/documents", body, agent), http.StatusUnauthorized, "run 'cassini join'")
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll/revoke", `{"host":"nobody"}`, admin), http.StatusNotFound, "did not join")
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll", joinBody(t, "web-17"), g.token(enroll.TokenRequest{Role: enroll.RoleViewer})), http.StatusForbidden, "role agent")
	wantProblem(t, do(g.h, "POST", "/api/v1/enroll", joinBody(t, "web-17")), http.StatusUnauthorized, "by a token")
}

func TestTokensOverTheAPI(t *testing.T) {
	g := newGuarded(t)
	admin := g.token(enroll.TokenRequest{Role: enroll.RoleAdmin})
	w := do(g.h, "POST", "/api/v1/tokens", `{"role":"viewer","label":"grafana","life_seconds":60}`, admin)
	var made enroll.TokenMade
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != 200 || made.Text == "" || made.Hash != "" || !made.Expires.Equal(later.Add(time.Minute)) {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	viewer := header("Authorization", "bearer "+made.Text)
	if w := do(g.h, "GET", "/api/v1/services", "", viewer); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := do(g.h, "GET", "/api/v1/tokens", "", admin); strings.Contains(w.Body.String(), "hash") || !strings.Contains(w.Body.String(), "grafana") {
		t.Errorf("%s", w.Body)
	}
	if w := do(g.h, "POST", "/api/v1/tokens/revoke", `{"id":"`+made.ID+`"}`, admin); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantProblem(t, do(g.h, "GET", "/api/v1/services", "", viewer), http.StatusUnauthorized, "revoked")
	wantProblem(t, do(g.h, "POST", "/api/v1/tokens", `{"role":"king"}`, admin), http.StatusBadRequest, "want one of")
	wantProblem(t, do(g.h, "POST", "/api/v1/tokens", `{"role":"viewer","life_seconds":9000000000000000000}`, admin), http.StatusBadRequest, "life")
	wantProblem(t, do(g.h, "POST", "/api/v1/tokens", strings.Repeat("x", maxEnroll+1), admin), http.StatusRequestEntityTooLarge, "")
	wantProblem(t, do(g.h, "POST", "/api/v1/tokens", "{}", admin, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "")
	wantProblem(t, do(handler(filled(t)), "GET", "/api/v1/tokens", ""), http.StatusConflict, "without TLS")
}

// TestNamesAreAllowedWithTLS asks by a name, which without TLS a browser could be led to.
func TestNamesAreAllowedWithTLS(t *testing.T) {
	g := newGuarded(t)
	named := func(r *http.Request) { r.Host = "manager.example:1984" }
	if w := do(g.h, "GET", "/api/v1/services", "", g.token(enroll.TokenRequest{Role: enroll.RoleViewer}), named); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantProblem(t, do(handler(filled(t)), "GET", "/api/v1/services", "", named), http.StatusMisdirectedRequest, "localhost")
	agent := g.agent("web-17")
	remote := func(r *http.Request) { r.RemoteAddr = "10.77.1.1:5" }
	for _, tc := range []struct {
		edit func(*http.Request)
		want int
	}{{remote, 0}, {func(r *http.Request) { r.RemoteAddr = "127.0.0.1:5" }, 1}} {
		g.b.agents = nil
		do(g.h, "POST", "/api/v1/documents", `{"host":"web-17","documents":[]}`, agent, header("Cassini-Agent-Url", "http://127.0.0.1:22"), tc.edit)
		if len(g.b.agents) != tc.want {
			t.Errorf("registered %v", g.b.agents)
		}
	}
}

// TestGuests asks over connections that are bounded until somebody shows who he is.
func TestGuests(t *testing.T) {
	g := newGuarded(t)
	bounds := guests.New(slog.New(slog.DiscardHandler))
	ts := httptest.NewUnstartedServer(g.h)
	ts.Listener, ts.Config.ConnContext = bounds.Listen(ts.Listener), guests.Context
	ts.StartTLS()
	defer ts.Close()
	for _, tc := range []struct {
		who          func(*http.Request)
		status, open int
	}{
		{func(*http.Request) {}, http.StatusUnauthorized, 1},
		{g.token(enroll.TokenRequest{Role: enroll.RoleViewer}), http.StatusOK, 0},
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", ts.URL+"/api/v1/services", nil)
		if err != nil {
			t.Fatal(err)
		}
		tc.who(r)
		resp, err := ts.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if open := bounds.Stats().Open; resp.StatusCode != tc.status || open != tc.open {
			t.Errorf("%d, and %d connections of guests; want %d and %d", resp.StatusCode, open, tc.status, tc.open)
		}
	}
}
