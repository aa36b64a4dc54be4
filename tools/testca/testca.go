// Package testca is an authority that is not the manager's, for tests of whatever takes
// certificates. It depends on the standard library alone.
package testca

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"
)

// Config is what there is to choose; nothing has to be chosen.
type Config struct {
	Name string        // by default Company
	From time.Time     // by default an hour ago
	Life time.Duration // by default a day
	P256 bool          // its key, and those that it gives, are ECDSA P-256 instead of Ed25519
}

// Authority signs certificates, and may sign lists of revoked ones. Whatever fails ends its test.
// Sign and Give are safe for concurrent use.
type Authority struct {
	Cert *x509.Certificate
	Key  crypto.Signer

	t     testing.TB
	p256  bool
	files int // that were written
}

// New makes an authority.
func New(t testing.TB, cfg Config) *Authority {
	t.Helper()
	if cfg.From.IsZero() {
		cfg.From = time.Now().Add(-time.Hour)
	}
	a := &Authority{t: t, p256: cfg.P256}
	a.Key = a.newKey()
	a.Cert = &x509.Certificate{
		Subject:   pkix.Name{CommonName: cmp.Or(cfg.Name, "Company")},
		NotBefore: cfg.From, NotAfter: cfg.From.Add(cmp.Or(cfg.Life, 24*time.Hour)),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a.Cert = a.Sign(a.Cert, a.Key.Public())
	return a
}

// Sign makes a certificate for a key. Where the template does not say from when or until when
// it is good, it is as long as that of the authority.
func (a *Authority) Sign(template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	filled := *template
	if filled.NotBefore.IsZero() {
		filled.NotBefore = a.Cert.NotBefore
	}
	if filled.NotAfter.IsZero() {
		filled.NotAfter = a.Cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, &filled, a.Cert, public, a.Key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// Give makes a key and a certificate for it, with that of the authority behind it.
func (a *Authority) Give(template *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key := a.newKey()
	leaf := a.Sign(template, key.Public())
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, a.Cert.Raw}, PrivateKey: key, Leaf: leaf}
}

func (a *Authority) newKey() crypto.Signer {
	a.t.Helper()
	if a.p256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			a.t.Fatal(err)
		}
		return key
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}
