package enroll

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJoin(t *testing.T) {
	a := open(t, t.TempDir(), start)
	j, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent, Label: "rack 7"}, start), JoinRequest{Host: "web-17", Request: request(t, nil)}, start)
	if err != nil {
		t.Fatal(err)
	}
	cert := certOf(t, j)
	if cert.URIs[0].String() != "cassini://agent/web-17" || cert.Subject.CommonName != "web-17" || !cert.NotAfter.Equal(start.Add(DefaultLife)) || cert.IsCA {
		t.Errorf("got %v %v %v", cert.URIs, cert.Subject, cert.NotAfter)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.trust.Load().ca.cert)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: start, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: pool, CurrentTime: start, DNSName: "web-17"}); err == nil {
		t.Error("an agent's certificate must be no server's")
	}
	if who, err := a.whose(cert, start); err != nil || who.Host != "web-17" || who.Role != RoleAgent {
		t.Errorf("got %v, %v", who, err)
	}
	if _, err := a.whose(cert, start.Add(DefaultLife+1)); !errors.Is(err, ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	if hosts := a.Hosts(); len(hosts) != 1 || hosts[0].Label != "rack 7" {
		t.Errorf("got %+v", hosts)
	}
}

func TestJoinRefuses(t *testing.T) {
	a := open(t, t.TempDir(), start)
	joined(t, a, "db-1", start)
	usedUp := token(t, a, TokenRequest{Role: RoleAgent}, start)
	if _, err := a.Join(usedUp, JoinRequest{Host: "db-2", Request: request(t, nil)}, start); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return token(t, a, TokenRequest{Role: RoleAgent}, start) }
	csr := request(t, nil)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	weak, _ := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p384)
	forged := []byte(csr)
	forged[len(forged)-60] ^= 1
	for name, tc := range map[string]struct {
		token, host, csr string
		at               time.Duration
		want             error
	}{
		"used up":             {usedUp, "web-17", csr, 0, ErrUsedUp},
		"expired":             {fresh(), "web-17", csr, 24 * time.Hour, ErrExpired},
		"a viewer's":          {token(t, a, TokenRequest{Role: RoleViewer}, start), "web-17", csr, 0, ErrForbidden},
		"another host's":      {token(t, a, TokenRequest{Role: RoleAgent, Host: "web-18"}, start), "web-17", csr, 0, ErrForbidden},
		"a name that is used": {fresh(), "db-1", csr, 0, ErrTaken},
		"made up":             {"cassini_agent_1_2_3", "web-17", csr, 0, ErrUnknown},
		"no host":             {fresh(), "", csr, 0, ErrInvalid},
		"host with slash":     {fresh(), "agent/../db-1", csr, 0, ErrInvalid},
		"long host":           {fresh(), strings.Repeat("x", 300), csr, 0, ErrInvalid},
		"no request":          {fresh(), "web-17", "", 0, ErrInvalid},
		"forged request":      {fresh(), "web-17", string(forged), 0, ErrInvalid},
		"another curve":       {fresh(), "web-17", string(encode(blockRequest, weak)), 0, ErrInvalid},
	} {
		if _, err := a.Join(tc.token, JoinRequest{Host: tc.host, Request: tc.csr}, start.Add(tc.at)); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	if hosts := a.Hosts(); len(hosts) != 2 {
		t.Errorf("got %+v", hosts)
	}
}

// TestJoinAgain asks once more with the same key, as who lost the answer does.
func TestJoinAgain(t *testing.T) {
	a := open(t, t.TempDir(), start)
	text, key := token(t, a, TokenRequest{Role: RoleAgent}, start), newKey(t)
	for range 5 {
		j, err := a.Join(text, JoinRequest{Host: "web-17", Request: request(t, key)}, start)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.whose(certOf(t, j), start); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.Hosts()[0].Certificates); n > 2 {
		t.Errorf("%d certificates are kept", n)
	}
	if _, err := a.Join(text, JoinRequest{Host: "web-17", Request: request(t, nil)}, start); !errors.Is(err, ErrUsedUp) {
		t.Errorf("another key: %v", err)
	}
}

func TestRevokeAndJoinAnew(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	cert := joined(t, a, "web-17", start)
	before := token(t, a, TokenRequest{Role: RoleAgent, Limit: 9}, start)
	if _, err := a.Revoke("web-17", "", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	a = open(t, dir, start)
	if _, err := a.whose(cert, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("after a restart: %v", err)
	}
	if _, err := a.Renew(cert, JoinRequest{Request: request(t, nil)}, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("renew: %v", err)
	}
	if _, err := a.Join(before, JoinRequest{Host: "web-17", Request: request(t, nil)}, start.Add(time.Hour)); !errors.Is(err, ErrRevoked) {
		t.Errorf("a token of before: %v", err)
	}
	fresh := joined(t, a, "web-17", start.Add(time.Hour))
	if _, err := a.whose(fresh, start.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if _, err := a.whose(cert, start.Add(time.Hour)); !errors.Is(err, ErrRevoked) {
		t.Errorf("the certificate of before: %v", err)
	}
	if _, err := a.Revoke("nobody", "", start); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// TestNamedHostTakesOver gives a reinstalled host its name again.
func TestNamedHostTakesOver(t *testing.T) {
	a := open(t, t.TempDir(), start)
	old := joined(t, a, "web-17", start)
	text := token(t, a, TokenRequest{Role: RoleAgent, Host: "web-17"}, start)
	if _, err := a.Join(text, JoinRequest{Host: "web-17", Request: request(t, nil)}, start); err != nil {
		t.Fatal(err)
	}
	if _, err := a.whose(old, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("the old certificate: %v", err)
	}
}

func TestRenew(t *testing.T) {
	a := open(t, t.TempDir(), start)
	first := joined(t, a, "web-17", start)
	renew := func(shown *x509.Certificate) *x509.Certificate {
		t.Helper()
		j, err := a.Renew(shown, JoinRequest{Request: request(t, nil)}, start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return certOf(t, j)
	}
	lost := renew(first)
	second := renew(first) // again: the answer was lost
	third := renew(second)
	for name, tc := range map[string]struct {
		cert *x509.Certificate
		want error
	}{"first": {first, ErrRevoked}, "lost": {lost, ErrRevoked}, "second": {second, nil}, "third": {third, nil}} {
		if _, err := a.whose(tc.cert, start.Add(time.Hour)); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
	if _, err := a.Revoke("web-17", serialOf(third), start); err != nil {
		t.Fatal(err)
	}
	if _, err := a.whose(third, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("by its serial: %v", err)
	}
	if _, err := a.whose(second, start); err != nil {
		t.Errorf("the other: %v", err)
	}
	if _, err := a.Revoke("web-17", "beef", start); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

// TestNoAgent shows certificates that TLS might let through and that are no agent's.
func TestNoAgent(t *testing.T) {
	a := open(t, t.TempDir(), start)
	uri := func(s string) *url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for name, uris := range map[string][]*url.URL{
		"none": nil, "two": {uri("cassini://agent/a"), uri("cassini://agent/b")}, "spiffe": {uri("spiffe://example/a")},
		"manager": {uri("cassini://manager/a")}, "slash": {uri("cassini://agent/a/b")}, "query": {uri("cassini://agent/a?b")}, "user": {uri("cassini://x@agent/a")},
		"empty": {uri("cassini://agent/")}, "port": {uri("cassini://agent:1/a")}, "opaque": {uri("cassini:agent")},
	} {
		if host, err := HostOf(&x509.Certificate{URIs: uris, SerialNumber: big.NewInt(1)}); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: got %q, %v", name, host, err)
		}
	}
	key := newKey(t)
	cert, err := a.trust.Load().ca.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "x"}, URIs: []*url.URL{agentURI("ghost")}}, key.Public(), start, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.whose(cert, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("signed, and in no record: %v", err)
	}
	a.hosts["ghost"] = Record{Host: "ghost", Certificates: []Issued{{Serial: serialOf(cert), Key: "another"}}}
	if _, err := a.whose(cert, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("signed for another key: %v", err)
	}
}

func TestServerCertificate(t *testing.T) {
	a := open(t, t.TempDir(), start)
	get := func(addr string, now time.Time) *x509.Certificate {
		t.Helper()
		cert, err := a.server.get(a.trust.Load(), mustAddr(t, addr), now)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf
	}
	leaf := get("10.77.0.1", start)
	for _, name := range []string{"manager", "localhost", "cassini.example", "192.0.2.7", "127.0.0.1", "10.77.0.1", "::1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if again := get("127.0.0.1", start.Add(time.Hour)); again != leaf {
		t.Error("a certificate that is good was made anew")
	}
	late := get("127.0.0.1", start.Add(serverLife/2))
	if !late.NotAfter.After(leaf.NotAfter) || late.VerifyHostname("10.77.0.1") != nil {
		t.Errorf("made anew until %v with %v", late.NotAfter, late.IPAddresses)
	}
	if ahead := get("127.0.0.1", start.AddDate(3, 0, 0)); get("127.0.0.1", start).NotBefore.After(start) {
		t.Errorf("the clock was set back, and the certificate is good from %v on", ahead.NotBefore)
	}
	if !slices.Equal(late.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("usages are %v", late.ExtKeyUsage)
	}
}

// TestRenewedAhead renews while the manager's clock is half a month ahead, and shows that once it was
// set right.
func TestRenewedAhead(t *testing.T) {
	a := open(t, t.TempDir(), start)
	first := joined(t, a, "web-17", start)
	j, err := a.Renew(first, JoinRequest{Request: request(t, nil)}, start.Add(DefaultLife/2))
	if err != nil {
		t.Fatal(err)
	}
	if who, err := a.Shown([]*x509.Certificate{certOf(t, j)}, start); err != nil || who.Host != "web-17" {
		t.Errorf("got %v, %v", who, err)
	}
}

// TestOutsideAgents shows certificates of another authority, before and after a revocation.
func TestOutsideAgents(t *testing.T) {
	a, other := open(t, t.TempDir(), start), open(t, t.TempDir(), start)
	outside := joined(t, other, "web-17", start)
	late := joined(t, other, "web-18", start.Add(time.Hour))
	if who, err := a.whose(outside, start); err != nil || who.Host != "web-17" {
		t.Errorf("got %v, %v", who, err)
	}
	for _, host := range []string{"web-17", "web-18"} {
		joined(t, a, host, start)
		if _, err := a.Revoke(host, "", start.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.whose(outside, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := a.whose(late, start.Add(time.Hour)); err != nil {
		t.Errorf("given after it was revoked: %v", err)
	}
	joined(t, a, "web-17", start.Add(time.Hour))
	if _, err := a.whose(outside, start); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked, and joined anew: %v", err)
	}
	if _, err := a.Renew(late, JoinRequest{Request: request(t, nil)}, start.Add(time.Hour)); !errors.Is(err, ErrForbidden) {
		t.Errorf("renewed here: %v", err)
	}
}
