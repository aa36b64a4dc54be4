package enroll

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// A person or a program can show a certificate instead of a token. It is kept like a token,
// by the identifier in it, so that what it may do is looked up with each request, and
// revoking it works at once.

// Certified is a certificate of a person or a program.
type Certified struct {
	Certificate string `json:"certificate,omitempty"` // in PEM
	// Authorities are those by which who has it knows the manager, in PEM.
	Authorities string `json:"authorities,omitempty"`
}

// Certify makes a certificate for a role and a tenant, instead of a token: for the key of a
// certificate request in PEM, of which nothing else counts. Errors wrap ErrInvalid or
// ErrFull.
func (a *Authority) Certify(r TokenRequest, csr string, now time.Time) (Certified, Token, error) {
	request, err := parseRequest(csr)
	if err != nil {
		return Certified{}, Token{}, err
	}
	t, _, err := newToken(r, now)
	if err != nil {
		return Certified{}, t, err
	}
	if t.Role == RoleAgent {
		return Certified{}, t, fmt.Errorf("certificate for role agent: %w: hosts get theirs when they join; want viewer, operator or admin", ErrInvalid)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	trust := a.trust.Load()
	cert, err := trust.signer().signClient(t, request, now)
	if err != nil {
		return Certified{}, t, err
	}
	t.Hash, t.Serial, t.Key = "", serialOf(cert), keyHash(cert.RawSubjectPublicKeyInfo)
	t.Expires, t.Pin = cert.NotAfter.UTC(), pinOf(trust.signer().cert.Raw)[:pinSize]
	if err := a.keep(t, now); err != nil {
		return Certified{}, t, err
	}
	a.cfg.Logger.Info("certificate made", "certificate", t.ID, "role", string(t.Role), "tenant", t.Tenant, "label", t.Label, "expires", t.Expires)
	return Certified{string(encode(blockCert, cert.Raw)), string(pems(trust.anchors()))}, t, nil
}

// signClient makes the certificate of a person or a program.
func (c *ca) signClient(t Token, request *x509.CertificateRequest, now time.Time) (*x509.Certificate, error) {
	return c.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: string(t.Role) + " " + t.ID, OrganizationalUnit: unitsOf(t.Tenant)},
		URIs:    []*url.URL{clientURI(t.ID)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, request.PublicKey, now, t.Expires.Sub(now))
}

func clientURI(id string) *url.URL {
	return &url.URL{Scheme: "cassini", Host: "client", Path: "/" + id}
}

// clientOf is the identifier in a certificate of a person or a program, or "".
func clientOf(cert *x509.Certificate) string {
	if len(cert.URIs) != 1 {
		return ""
	}
	id := strings.TrimPrefix(cert.URIs[0].Path, "/")
	if !tokenID.MatchString(id) || *cert.URIs[0] != *clientURI(id) {
		return ""
	}
	return id
}

// client says who shows a certificate that this authority signed for a person or a program.
// Its serial number and key are compared as well, so that the key of the authority alone
// makes nobody an admin.
func (a *Authority) client(cert *x509.Certificate, id string, now time.Time) (Who, error) {
	a.mu.RLock()
	t, ok := a.tokens[id]
	a.mu.RUnlock()
	switch {
	case !ok || t.Key == "" || t.Key != keyHash(cert.RawSubjectPublicKeyInfo) || t.Serial != serialOf(cert):
		return Who{}, fmt.Errorf("certificate %s: %w: it stands in no record, or was forgotten; %s", id, ErrUnknown, another(cert))
	case !t.Revoked.IsZero():
		return Who{}, fmt.Errorf("certificate %s: %w at %s; %s", id, ErrRevoked, stamp(t.Revoked), another(cert))
	case t.ended(now):
		return Who{}, fmt.Errorf("certificate %s: %w at %s; %s", id, ErrExpired, stamp(t.Expires), another(cert))
	}
	return Who{Role: t.Role, Certificate: id, Tenant: t.Tenant}, nil
}
