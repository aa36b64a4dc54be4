package api

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"cassini/manager/audit"
	"cassini/manager/enroll"
)

// certificate makes one over the API, and is how its holder shows it.
func (g *guarded) certificate(admin func(*http.Request), order string) (id string, shown func(*http.Request)) {
	g.t.Helper()
	body := fmt.Sprintf(`{%s,"request":%q}`, order, csr(g.t))
	w := do(g.h, "POST", "/api/v1/tokens", body, admin)
	var made enroll.TokenMade
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK || made.Text != "" || made.Authorities == "" {
		g.t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	block, _ := pem.Decode([]byte(made.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		g.t.Fatal(err)
	}
	return made.ID, func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}} }
}

// watchedAPI is a guarded API whose refusals are counted and kept.
func watchedAPI(t *testing.T) (*guarded, *Requests, *audit.Log, *enroll.Authority, *time.Time) {
	t.Helper()
	g := &guarded{t: t, b: filled(t)}
	cfg, at := config(g.b), later
	log, err := audit.Open(audit.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	if g.a, err = enroll.Open(enroll.Config{Dir: t.TempDir(), Host: "manager"}, at); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.a.Close() })
	cfg.Enroll, cfg.Audit, cfg.Requests, cfg.Now = g.a, log, &Requests{}, func() time.Time { return at }
	g.h = New(cfg)
	return g, cfg.Requests, log, g.a, &at
}

func counted(q *Requests, status int) (n uint64) {
	for _, s := range q.Stats() {
		if s.Status == status {
			n += s.Count
		}
	}
	return n
}

// TestCertificatesOfPeople shows certificates that may not, or not any more: each is refused
// with a reason, counted and kept in the audit log.
func TestCertificatesOfPeople(t *testing.T) {
	g, requests, log, _, at := watchedAPI(t)
	admin := g.token(enroll.TokenRequest{Role: enroll.RoleAdmin})
	other := newGuarded(t)
	_, viewer := g.certificate(admin, `"role":"viewer","label":"alice"`)
	_, shop := g.certificate(admin, `"role":"operator","tenant":"shop"`)
	id, revoked := g.certificate(admin, `"role":"admin"`)
	_, brief := g.certificate(admin, `"role":"viewer","life_seconds":1`)
	_, foreign := other.certificate(other.token(enroll.TokenRequest{Role: enroll.RoleAdmin}), `"role":"admin"`)
	agent := g.agent("web-17")
	if w := do(g.h, "POST", "/api/v1/tokens/revoke", `{"id":"`+id+`"}`, revoked); w.Code != http.StatusOK { // its own, as the last thing it does
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := do(g.h, "GET", "/api/v1/services", "", viewer); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	*at = at.Add(2 * time.Second)
	for name, tc := range map[string]struct {
		method, path, body string
		who                func(*http.Request)
		status             int
		why, kept          string
	}{
		"a viewer writes":        {"POST", "/api/v1/silences", `{}`, viewer, 403, "this is for role operator, your certificate is for viewer", "viewer (certificate "},
		"a viewer reads tokens":  {"GET", "/api/v1/tokens", "", viewer, 403, "your certificate is for viewer", "viewer (certificate "},
		"an agent reads":         {"GET", "/api/v1/tokens", "", agent, 403, "not for agents", "agent of web-17"},
		"a tenant's looks next":  {"GET", "/api/v1/services?host=web-17", "", shop, 403, "tenant shop has no host web-17", "operator of tenant shop (certificate "},
		"revoked":                {"GET", "/api/v1/services", "", revoked, 401, "revoked at", "unknown"},
		"expired":                {"GET", "/api/v1/services", "", brief, 401, "expired at", "unknown"},
		"foreign":                {"GET", "/api/v1/services", "", foreign, 401, "which does not count here", "unknown"},
		"renewed as an agent's":  {"POST", "/api/v1/enroll/renew", `{}`, viewer, 403, "this is for role agent", "viewer (certificate "},
		"documents as an agent":  {"POST", "/api/v1/documents", `{"host":"web-17","documents":[]}`, viewer, 403, "this is for role agent", "viewer (certificate "},
		"one asks without a key": {"POST", "/api/v1/tokens", `{"role":"viewer","request":"x"}`, viewer, 403, "this is for role admin", "viewer (certificate "},
	} {
		before := counted(requests, tc.status)
		w := do(g.h, tc.method, tc.path, tc.body, tc.who)
		wantProblem(t, w, tc.status, tc.why)
		if counted(requests, tc.status) != before+1 {
			t.Errorf("%s: not counted", name)
		}
		list, err := log.List(audit.Filter{Limit: 1})
		if err != nil || len(list) != 1 || !strings.HasPrefix(list[0].Who, tc.kept) || !strings.Contains(list[0].Why, tc.why) {
			t.Errorf("%s: kept %+v, %v", name, list, err)
		}
	}
	wantProblem(t, do(g.h, "POST", "/api/v1/tokens", `{"role":"viewer","request":"x"}`, admin), http.StatusBadRequest, "want one in PEM")
	w := do(g.h, "GET", "/api/v1/tokens", "", admin)
	if !strings.Contains(w.Body.String(), "alice") || !strings.Contains(w.Body.String(), `"serial"`) {
		t.Errorf("%s", w.Body)
	}
}

// TestPasswords asks with passwords, and guesses.
func TestPasswords(t *testing.T) {
	g, requests, log, a, _ := watchedAPI(t)
	if h := do(g.h, "GET", "/api/v1/services", "").Header(); strings.Contains(strings.Join(h.Values("WWW-Authenticate"), " "), "Basic") {
		t.Errorf("a password is asked for where nobody has one: %v", h)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "users.yml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "basic_auth_users: {alice: %s}\nroles: {alice: viewer}\n", hash), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.ReadFiles(enroll.Files{Users: path}); err != nil {
		t.Fatal(err)
	}
	as := func(name, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(name, password) }
	}
	w := do(g.h, "GET", "/api/v1/services", "")
	if w.Code != 401 || !strings.Contains(strings.Join(w.Header().Values("WWW-Authenticate"), " "), `Basic realm="cassini"`) {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := do(g.h, "GET", "/api/v1/services", "", as("alice", "correct horse")); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantProblem(t, do(g.h, "POST", "/api/v1/silences", "{}", as("alice", "correct horse")), 403, "your password is for viewer")
	unknown, wrong := do(g.h, "GET", "/api/v1/services", "", as("bob", "correct horse")), do(g.h, "GET", "/api/v1/services", "", as("alice", "x"))
	wantProblem(t, wrong, 401, "the name or the password is wrong")
	if unknown.Code != 401 || unknown.Body.String() != wrong.Body.String() {
		t.Errorf("names can be told: %s, %s", unknown.Body, wrong.Body)
	}
	list, err := log.List(audit.Filter{Limit: 2})
	if err != nil || len(list) != 2 || list[0].Who != "not proved: user alice" || list[1].Who != "unknown" {
		t.Errorf("kept %+v, %v", list, err)
	}
	for range 8 {
		do(g.h, "GET", "/api/v1/services", "", as("alice", "guess"))
	}
	w = do(g.h, "GET", "/api/v1/services", "", as("alice", "guess"))
	wantProblem(t, w, http.StatusTooManyRequests, "too many passwords")
	if w.Header().Get("Retry-After") == "" || counted(requests, 429) != 1 {
		t.Errorf("%v", w.Header())
	}
	if w := do(g.h, "GET", "/api/v1/services", "", as("alice", "correct horse")); w.Code != 200 {
		t.Errorf("who is known is kept out: %d %s", w.Code, w.Body)
	}
}
