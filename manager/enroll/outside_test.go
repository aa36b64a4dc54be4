package enroll

import (
	"crypto/x509"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/tools/testca"
)

// company is an authority that is not the manager's.
type company struct {
	*testca.Authority
	t *testing.T
}

func newCompany(t *testing.T) *company {
	t.Helper()
	return &company{testca.New(t, testca.Config{From: start.Add(-time.Hour), Life: 365 * 24 * time.Hour}), t}
}

// agent is a certificate with names: URIs, and DNS names that have no colon.
func (c *company) agent(from time.Time, names ...string) *x509.Certificate {
	c.t.Helper()
	template := &x509.Certificate{NotBefore: from, NotAfter: from.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	for _, name := range names {
		if !strings.Contains(name, ":") {
			template.DNSNames = append(template.DNSNames, name)
			continue
		}
		u, err := url.Parse(name)
		if err != nil {
			c.t.Fatal(err)
		}
		template.URIs = append(template.URIs, u)
	}
	return c.Give(template).Leaf
}

// TestOutsideNames knows agents by the names in certificates of another authority.
func TestOutsideNames(t *testing.T) {
	dir := t.TempDir()
	c, evil := newCompany(t), newCompany(t)
	files := Files{ClientCA: c.Write(filepath.Join(t.TempDir(), "company.pem")), IDs: []string{"spiffe://example.org/{tenant}/agent/{host}", "spiffe://example.org/old/*/{host}", "dns:{host}.agents.example.org"}}
	a := open(t, dir, start)
	var moved []string
	a.cfg.Moved = func(host string) { moved = append(moved, host) }
	if err := a.ReadFiles(files); err != nil {
		t.Fatal(err)
	}
	joined(t, a, "joined", start)
	ask := func(cert *x509.Certificate, now time.Time) (Who, error) {
		return a.Shown([]*x509.Certificate{cert}, now)
	}
	good := c.agent(start, "spiffe://example.org/red/agent/web-17", "web-17", "web-17.internal")
	for name, step := range map[string]struct {
		cert *x509.Certificate
		host string
	}{
		"a SPIFFE ID": {good, "web-17"}, "a DNS name": {c.agent(start, "db-1.agents.example.org"), "db-1"}, "the name of the host itself": {c.agent(start, "cassini://agent/direct"), "direct"},
	} {
		if who, err := ask(step.cert, start); err != nil || who.Host != step.host || who.Role != RoleAgent {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if a.TenantOf("web-17") != "red" || a.TenantOf("db-1") != "" || len(moved) != 1 {
		t.Errorf("tenants %q %q, moved %v", a.TenantOf("web-17"), a.TenantOf("db-1"), moved)
	}
	for name, step := range map[string]struct {
		cert *x509.Certificate
		now  time.Time
		want error
		why  string
	}{
		"another trust domain":           {c.agent(start, "spiffe://example.com/red/agent/web-18"), start, ErrForbidden, "of which there is no rule"},
		"another authority":              {evil.agent(start, "spiffe://example.org/red/agent/web-17"), start, ErrUnknown, "does not count here"},
		"two URIs":                       {c.agent(start, "spiffe://example.org/red/agent/web-17", "spiffe://example.org/red/agent/db-1"), start, ErrForbidden, "it has 2 URIs"},
		"a SPIFFE ID and ours":           {c.agent(start, "spiffe://example.org/red/agent/web-17", "cassini://agent/web-17"), start, ErrForbidden, "it has 2 URIs"},
		"two DNS names":                  {c.agent(start, "db-1.agents.example.org", "db-2.agents.example.org"), start, ErrForbidden, "2 DNS names"},
		"another path":                   {c.agent(start, "spiffe://example.org/red/workload/web-17"), start, ErrForbidden, "as in no rule"},
		"expired":                        {good, start.Add(time.Hour + 1), ErrExpired, "expired"},
		"another's name":                 {c.agent(start, "spiffe://example.org/old/x/web-17"), start, ErrForbidden, "claims the name of host web-17, which is spiffe://example.org/red/agent/web-17"},
		"another's name by DNS":          {c.agent(start, "web-17.agents.example.org"), start, ErrForbidden, "claims the name of host web-17"},
		"another tenant":                 {c.agent(start, "spiffe://example.org/blue/agent/web-17"), start, ErrForbidden, "claims the name of host web-17"},
		"the name of a host that joined": {c.agent(start, "spiffe://example.org/red/agent/joined"), start, ErrForbidden, "not of tenant red"},
		"a tenant that is none":          {c.agent(start, "spiffe://example.org/Red_1/agent/web-19"), start, ErrForbidden, "tenant"},
		"a host that is none":            {c.agent(start, "spiffe://example.org/red/agent/-x"), start, ErrForbidden, "host name"},
		"no names":                       {c.agent(start), start, ErrForbidden, "it has no URI"},
	} {
		if who, err := ask(step.cert, step.now); !errors.Is(err, step.want) || !strings.Contains(err.Error(), step.why) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if _, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent, Tenant: "red"}, start), JoinRequest{Host: "web-17", Request: request(t, nil)}, start); !errors.Is(err, ErrTaken) {
		t.Errorf("a token takes the name: %v", err)
	}
	if _, err := a.Renew(good, JoinRequest{Request: request(t, nil)}, start); !errors.Is(err, ErrForbidden) {
		t.Errorf("renewed here: %v", err)
	}
	// Revoked, it is let in again by what was given since, and so is another identity.
	if _, err := a.Revoke("web-17", "", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	now := start.Add(2 * time.Minute)
	if _, err := ask(good, now); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := ask(c.agent(now, "spiffe://example.org/blue/agent/web-17"), now); !errors.Is(err, ErrForbidden) {
		t.Errorf("another tenant after a revocation: %v", err)
	}
	if who, err := ask(c.agent(now, "spiffe://example.org/red/agent/web-17"), now); err != nil || who.Host != "web-17" || !a.hosts["web-17"].Revoked.IsZero() {
		t.Errorf("given since: %+v, %v", who, err)
	}
	_ = a.Close()
	a = open(t, dir, now)
	if a.TenantOf("web-17") != "red" || a.hosts["web-17"].Outside == "" {
		t.Errorf("after another start: %+v", a.hosts["web-17"])
	}
}

// TestReread takes files into use that somebody else writes anew.
func TestReread(t *testing.T) {
	dir := t.TempDir()
	before, after := newCompany(t), newCompany(t)
	path := before.Write(filepath.Join(dir, "ca.pem"))
	a := open(t, t.TempDir(), start)
	if err := a.ReadFiles(Files{ClientCA: path}); err != nil {
		t.Fatal(err)
	}
	old, fresh := before.agent(start, "cassini://agent/web-17"), after.agent(start, "cassini://agent/web-17")
	ask := func(cert *x509.Certificate) error {
		_, err := a.Shown([]*x509.Certificate{cert}, start)
		return err
	}
	write := func(content []byte, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, content, 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if changed, err := a.Reread(); changed || err != nil || ask(old) != nil || ask(fresh) == nil {
		t.Errorf("as it was: %v, %v", changed, err)
	}
	write([]byte("half of it"), start.Add(time.Minute))
	if changed, err := a.Reread(); changed || err == nil || ask(old) != nil {
		t.Errorf("broken: %v, %v", changed, err)
	}
	if changed, err := a.Reread(); changed || err != nil {
		t.Errorf("told twice: %v, %v", changed, err)
	}
	write(encode(blockCert, after.Cert.Raw), start.Add(2*time.Minute))
	if changed, err := a.Reread(); !changed || err != nil {
		t.Errorf("written anew: %v, %v", changed, err)
	}
	if ask(fresh) != nil || !errors.Is(ask(old), ErrUnknown) {
		t.Errorf("%v, %v", ask(fresh), ask(old))
	}
}
