package identify

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Identity is whose agent a certificate is of.
type Identity struct {
	ID     string // as the certificate has it: "spiffe://...", "dns:..."
	Host   string
	Tenant string // "" where the rule has no place for it
	// Places says that the rule has a place for the tenant.
	Places bool
}

// Of finds whose agent a certificate is of. A certificate with URIs has to have one alone,
// as X.509-SVIDs have; one without has to have one DNS name alone. Errors wrap ErrNobody.
func (list Rules) Of(cert *x509.Certificate) (Identity, error) {
	switch {
	case len(cert.URIs) > 1:
		return Identity{}, fmt.Errorf("%w: it has %d URIs, and an identity has one", ErrNobody, len(cert.URIs))
	case len(cert.URIs) == 1:
		return list.ofURI(cert)
	case len(cert.DNSNames) == 1:
		return list.ofDNS(cert.DNSNames[0])
	}
	return Identity{}, fmt.Errorf("%w: it has no URI, and %d DNS names: want one", ErrNobody, len(cert.DNSNames))
}

func (list Rules) ofURI(cert *x509.Certificate) (Identity, error) {
	id, err := spiffeid.FromURI(cert.URIs[0])
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %q is no SPIFFE ID: %w", ErrNobody, cert.URIs[0].String(), err)
	}
	known := false
	for _, r := range list {
		if r.dns || r.domain != id.TrustDomain() {
			continue
		}
		known = true
		if host, tenant, ok := r.match(strings.Split(strings.TrimPrefix(id.Path(), "/"), "/")); ok {
			return r.identity(id.String(), host, tenant), nil
		}
	}
	if !known {
		return Identity{}, fmt.Errorf("%w: %s is of trust domain %q, of which there is no rule", ErrNobody, id, id.TrustDomain().Name())
	}
	return Identity{}, fmt.Errorf("%w: the path of %s is as in no rule", ErrNobody, id)
}

func (list Rules) ofDNS(name string) (Identity, error) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, r := range list {
		if !r.dns {
			continue
		}
		if host, tenant, ok := r.match(strings.Split(name, ".")); ok && !strings.Contains(name, "*") {
			return r.identity(schemeDNS+name, host, tenant), nil
		}
	}
	return Identity{}, fmt.Errorf("%w: the DNS name %q is as in no rule", ErrNobody, name)
}

func (r rule) identity(id, host, tenant string) Identity {
	places := false
	for _, p := range r.parts {
		places = places || p == tenantPlace
	}
	return Identity{ID: id, Host: host, Tenant: tenant, Places: places}
}
