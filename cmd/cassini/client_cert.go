package main

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// newRequest makes a key for a person or a program, and a request for its certificate. The
// key is ECDSA P-256: browsers take no Ed25519.
func newRequest() (key []byte, request string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, "", fmt.Errorf("encode a key: %w", err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, private)
	if err != nil {
		return nil, "", fmt.Errorf("make a certificate request: %w", err)
	}
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})), nil
}

// newSecretFile makes a file that nobody else reads; one that is there is left alone.
func newSecretFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, usagef("--certificate %s: the file is there already; choose another", path)
	}
	if err != nil {
		return nil, usagef("--certificate: %w", err)
	}
	return f, nil
}

// shown reads the certificate of who asks, and the authorities beside it by which the
// manager is known; nil where the file has none.
func (c *credentials) shown() (cert tls.Certificate, roots *x509.CertPool, err error) {
	raw, err := os.ReadFile(c.cert)
	if err != nil {
		return cert, nil, usagef("--client-cert/CASSINI_CLIENT_CERT: %w", err)
	}
	key := raw
	if c.key != "" {
		if key, err = os.ReadFile(c.key); err != nil {
			return cert, nil, usagef("--client-key/CASSINI_CLIENT_KEY: %w", err)
		}
	}
	if cert, err = tls.X509KeyPair(raw, key); err != nil {
		return cert, nil, usagef("--client-cert/CASSINI_CLIENT_CERT %s, with the key in %s: %w", c.cert, cmp.Or(c.key, c.cert), err)
	}
	chain := cert.Certificate[:1]
	for _, der := range cert.Certificate[1:] {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return cert, nil, usagef("--client-cert/CASSINI_CLIENT_CERT %s: %w", c.cert, err)
		}
		if !bytes.Equal(parsed.RawIssuer, parsed.RawSubject) { // it leads to an authority
			chain = append(chain, der)
			continue
		}
		if roots == nil {
			roots = x509.NewCertPool()
		}
		roots.AddCert(parsed)
	}
	cert.Certificate = chain
	return cert, roots, nil
}
