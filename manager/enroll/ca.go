package enroll

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"os"
	"time"

	"cassini/model"
)

// Files of the data directory.
const (
	CAFile    = "ca.pem"      // key and certificate of the authority
	CertFile  = "ca.crt"      // its certificate alone, to hand out
	TokenFile = "admin.token" // for programs on this machine
	StateFile = "enroll.db"
)

// Lives of certificates.
const (
	caLife      = 10 * 365 * 24 * time.Hour
	serverLife  = 90 * 24 * time.Hour
	DefaultLife = 30 * 24 * time.Hour // of agents'
	maxSkew     = 5 * time.Minute
)

const (
	blockKey     = "PRIVATE KEY"
	blockCert    = "CERTIFICATE"
	blockRequest = "CERTIFICATE REQUEST"
)

// ca signs certificates. It is safe for concurrent use.
type ca struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// openCA reads the authority in a file, or makes one there.
func openCA(path, host string, now time.Time) (*ca, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeCA(path, host, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority: %w", err)
	}
	c, err := parseCA(raw)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority in %s: %w: %w; restore the file from a backup, or move it away: then all hosts must join anew", path, ErrDamaged, err)
	}
	if !now.Before(c.cert.NotAfter) {
		return nil, fmt.Errorf("certificate authority in %s: %w at %s; see whether the clock of this machine is right, else move the file away: then all hosts must join anew", path, ErrExpired, stamp(c.cert.NotAfter))
	}
	return c, nil
}

// makeCA makes an authority, and the file whole and durably.
func makeCA(path, host string, now time.Time) (*ca, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the certificate authority: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: model.AuthorityName + host},
		NotBefore: now.Add(-maxSkew), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: 1, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate authority: %w", err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encode the key of the certificate authority: %w", err)
	}
	if err := writeFile(path, append(encode(blockKey, key), encode(blockCert, der)...), 0o600); err != nil {
		return nil, err
	}
	return openCA(path, host, now)
}

func parseCA(raw []byte) (*ca, error) {
	c := &ca{}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		var err error
		switch block.Type {
		case blockKey:
			var key any
			if key, err = x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
				c.key, _ = key.(crypto.Signer)
			}
		case blockCert:
			c.cert, err = x509.ParseCertificate(block.Bytes)
		}
		if err != nil {
			return nil, err
		}
	}
	if c.key == nil || c.cert == nil {
		return nil, errors.New("want a private key and a certificate in it")
	}
	if public, ok := c.cert.PublicKey.(ed25519.PublicKey); !ok || !public.Equal(c.key.Public()) {
		return nil, errors.New("its key is not that of its certificate")
	}
	return c, nil
}

// sign makes a certificate that is valid from now on. The span before now is for clocks
// that differ.
func (c *ca) sign(template *x509.Certificate, public any, now time.Time, life time.Duration) (*x509.Certificate, error) {
	template.SerialNumber = newSerial()
	template.NotBefore, template.NotAfter = now.Add(-min(maxSkew, life/10)), now.Add(life)
	if template.NotAfter.After(c.cert.NotAfter) {
		template.NotAfter = c.cert.NotAfter
	}
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, public, c.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %s: %w", template.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// vouch signs the key of another authority, so that who knows c alone takes what that one
// signed.
func (c *ca) vouch(other *ca, now, until time.Time) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: newSerial(), Subject: other.cert.Subject, NotBefore: now.Add(-maxSkew), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: other.cert.SubjectKeyId,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, other.cert.PublicKey, c.key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority before: %w", err)
	}
	return x509.ParseCertificate(der)
}

// signAgent makes the certificate of the agent of a host, with its host name as the common name:
// what the record says, so that it can be had from there where the record is lost. Of the
// request only its key counts.
func (c *ca) signAgent(r Record, request *x509.CertificateRequest, now time.Time, life time.Duration) (*x509.Certificate, error) {
	subject := pkix.Name{CommonName: r.name(), OrganizationalUnit: unitsOf(r.Tenant)}
	if of := r.CopyOf; of != nil {
		subject.Organization, subject.SerialNumber = []string{of.Host}, of.Serial
	}
	return c.sign(&x509.Certificate{
		Subject: subject, URIs: []*url.URL{agentURI(r.Host)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, request.PublicKey, now, life)
}

// signServer makes a certificate of the manager itself.
func (c *ca) signServer(host string, public crypto.PublicKey, names []string, addrs []net.IP, now time.Time) (*x509.Certificate, error) {
	return c.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: names, IPAddresses: addrs, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, public, now, serverLife)
}

// parseRequest reads a request in PEM, and sees that who asks has its key.
func parseRequest(text string) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != blockRequest {
		return nil, fmt.Errorf("certificate request: %w: want one in PEM", ErrInvalid)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w: %w", ErrInvalid, err)
	}
	if err := request.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w: %w", ErrInvalid, err)
	}
	switch key := request.PublicKey.(type) {
	case ed25519.PublicKey:
		return request, nil
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return request, nil
		}
	}
	return nil, fmt.Errorf("certificate request: %w: want a key of Ed25519 or ECDSA P-256", ErrInvalid)
}

func newSerial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)       // never fails
	raw[0] = raw[0]&0x7f | 0x40 // positive, and always 16 bytes
	return new(big.Int).SetBytes(raw)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
