package enroll

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// open opens an authority that is closed at the test's end.
func open(t *testing.T, dir string, now time.Time) *Authority {
	t.Helper()
	a, err := Open(Config{Dir: dir, Host: "manager", Names: []string{"cassini.example", "192.0.2.7"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// request is a certificate request of a fresh key, or of one that is given.
func request(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	if key == nil {
		key = newKey(t)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(encode(blockRequest, der))
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certOf(t *testing.T, j *Joined) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(j.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func token(t *testing.T, a *Authority, r TokenRequest, now time.Time) string {
	t.Helper()
	text, _, err := a.CreateToken(r, now)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// joined is the certificate of a host that joins by a token of its own.
func joined(t *testing.T, a *Authority, host string, now time.Time) *x509.Certificate {
	t.Helper()
	j, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent}, now), JoinRequest{Host: host, Request: request(t, nil)}, now)
	if err != nil {
		t.Fatal(err)
	}
	return certOf(t, j)
}
