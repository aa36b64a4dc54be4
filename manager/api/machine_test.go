package api

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"cassini/manager/audit"
	"cassini/manager/enroll"
	"cassini/model"
	"cassini/tools/testca"
)

// marked has a request say what machine it is of.
func marked(mark string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(model.MarkHeader, mark) }
}

// TestSpeaks: what agents send is taken from the machine that has the name.
func TestSpeaks(t *testing.T) {
	b := filled(t)
	c := config(b)
	c.Deliveries = &Deliveries{}
	h := New(c)
	bodies := map[string]string{
		pathDocuments:  `{"host":"web-17","documents":[]}`,
		pathDeliveries: `{"host":"web-17","incarnation":9,"sequence":1,"documents":[]}`,
		pathJoin:       `{"host":"web-17"}`,
	}
	for path, body := range bodies {
		if w := do(h, "POST", path, body); w.Code >= 400 && path != pathJoin {
			t.Errorf("%s of an agent that does not say it: %d %s", path, w.Code, w.Body)
		}
		for mark, want := range map[string]int{"same/d": http.StatusOK, "new/d": http.StatusPreconditionRequired, "later/d": http.StatusServiceUnavailable, "other/d": http.StatusConflict} {
			w := do(h, "POST", path, body, marked(mark))
			if w.Code != want {
				t.Errorf("%s of %s: %d %s", path, mark, w.Code, w.Body)
			}
			if later := w.Header().Get("Retry-After") != ""; later != (want == http.StatusServiceUnavailable) {
				t.Errorf("%s of %s: Retry-After %q", path, mark, w.Header().Get("Retry-After"))
			}
		}
	}
	if n := c.Deliveries.Stats().Refused[model.RefusedMachine]; n != uint64(len(bodies)) {
		t.Errorf("%d refused", n)
	}
}

// TestMachine: an agent asks whether its machine is the one that has its name.
func TestMachine(t *testing.T) {
	h := New(config(filled(t)))
	for boot, want := range map[string]int{"same": http.StatusOK, "later": http.StatusServiceUnavailable, "other": http.StatusConflict} {
		w := do(h, "POST", pathMachine, `{"host":"web-17","machine":{"boot_id":"`+boot+`"}}`)
		if w.Code != want || want == http.StatusOK && !strings.Contains(w.Body.String(), `"web-17"`) {
			t.Errorf("%s: %d %s", boot, w.Code, w.Body)
		}
	}
	for body, want := range map[string]string{`{}`: "the host is missing", `[]`: "JSON", `{"host":"web-17","machine":{"macs":["x"]}}`: "hardware"} {
		wantProblem(t, do(h, "POST", pathMachine, body), http.StatusBadRequest, want)
	}
}

// TestNameCopy: a copy gets a name by the certificate that it shows, for that host and no other,
// and it is kept who did.
func TestNameCopy(t *testing.T) {
	g, l := newAudited(t)
	agent := g.agent("web-17")
	ask := func(boot, request string) (int, enroll.Joined, string) {
		raw, err := json.Marshal(map[string]any{"host": "db-1", "machine": map[string]string{"boot_id": boot}, "request": request})
		if err != nil {
			t.Fatal(err)
		}
		w := do(g.h, "POST", pathMachine, string(raw), agent)
		var joined enroll.Joined
		_ = json.Unmarshal(w.Body.Bytes(), &joined)
		return w.Code, joined, w.Body.String()
	}
	if code, j, text := ask("same", csr(t)); code != http.StatusOK || j.Host != "web-17" || j.Certificate != "" {
		t.Errorf("itself: %d %s", code, text)
	}
	if code, _, text := ask("later", csr(t)); code != http.StatusServiceUnavailable {
		t.Errorf("not settled: %d %s", code, text)
	}
	if code, _, text := ask("other", ""); code != http.StatusConflict {
		t.Errorf("a question alone: %d %s", code, text)
	}
	if code, j, text := ask("other", csr(t)); code != http.StatusOK || j.Host != "web-17~2" || j.Certificate == "" {
		t.Errorf("a copy: %d %s", code, text)
	}
	if code, _, text := ask("other", "x"); code != http.StatusBadRequest {
		t.Errorf("nonsense: %d %s", code, text)
	}
	list, err := l.List(audit.Filter{Action: "host.machine", Limit: 10})
	if err != nil || len(list) != 2 || list[1].Target != "web-17~2" || list[1].Detail != "a copy of the data directory of web-17" || list[1].Who != "agent of web-17" || list[1].Result != audit.Done || list[0].Result != audit.Refused {
		t.Errorf("%+v, %v", list, err)
	}
	w := do(g.h, "POST", "/api/v1/enroll/revoke", `{"host":"web-17","serial":"`+g.a.Hosts()[0].Certificates[0].Serial+`"}`, g.token(enroll.TokenRequest{Role: enroll.RoleAdmin}))
	if !strings.Contains(strings.Join(strings.Fields(w.Body.String()), ""), `"copies":"web-17~2"`) || strings.Join(g.b.expelled, " ") != "web-17~2" {
		t.Errorf("revoked: %s, and expelled are %v", w.Body, g.b.expelled)
	}
	agent = g.agent("db-1")
	// What is renewed is the certificate of the machine that has the name.
	for boot, want := range map[string]int{"other": http.StatusConflict, "later": http.StatusServiceUnavailable, "same": http.StatusOK} {
		raw, err := json.Marshal(enroll.JoinRequest{Request: csr(t), Machine: &model.Machine{BootID: boot}})
		if err != nil {
			t.Fatal(err)
		}
		if w := do(g.h, "POST", "/api/v1/enroll/renew", string(raw), agent, marked(boot+"/")); w.Code != want {
			t.Errorf("renewal of %s: %d %s", boot, w.Code, w.Body)
		}
	}
}

// outside is a certificate for the agent of a host, by an authority that is not the manager's.
func (g *guarded) outside(host string) func(*http.Request) {
	g.t.Helper()
	ca := testca.New(g.t, testca.Config{From: now, Life: 2 * time.Hour})
	if err := g.a.ReadFiles(enroll.Files{ClientCA: ca.Write(filepath.Join(g.t.TempDir(), "ca.pem"))}); err != nil {
		g.t.Fatal(err)
	}
	cert := ca.Give(&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, URIs: []*url.URL{{Scheme: "cassini", Host: "agent", Path: "/" + host}}}).Leaf
	return func(r *http.Request) { r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}} }
}

// TestOutsideCopy: who shows a copied certificate of another authority is told to get one there,
// and the manager hears of it each time. Certificates of its own are not its business.
func TestOutsideCopy(t *testing.T) {
	g, _ := newAudited(t)
	agent := g.outside("web-17")
	machine := func(boot, request string) string {
		return `{"machine":{"boot_id":"` + boot + `","dmi_uuid":"d"},"request":` + strconv.Quote(request) + `}`
	}
	for _, ask := range []struct{ path, body string }{
		{pathMachine, machine("other", "")},
		{pathMachine, machine("other", csr(t))},
		{pathDocuments, `{"host":"web-17","documents":[]}`},
	} {
		wantProblem(t, do(g.h, "POST", ask.path, ask.body, agent, marked("other/d")), http.StatusConflict, "give this machine a certificate of its own there")
	}
	if w := do(g.h, "POST", pathMachine, machine("same", ""), agent, marked("same/d")); w.Code != http.StatusOK {
		t.Errorf("the original: %d %s", w.Code, w.Body)
	}
	do(g.h, "POST", pathDocuments, `{"host":"db-1","documents":[]}`, g.agent("db-1"), marked("other/d"))
	if want := []string{"web-17 other/d d", "web-17 other/d d", "web-17 other/d "}; !slices.Equal(g.b.refused, want) {
		t.Errorf("refused are %q, want %q", g.b.refused, want)
	}
}
