package people

import (
	"crypto/x509"
	"fmt"
	"strings"
	"unicode"
)

// maxName bounds the name of somebody in bytes: it stands in logs and on screens.
const maxName = 200

// Person is somebody whom a rule knows.
type Person struct {
	Name string // as the certificate has it: "spiffe://...", "email:...", "subject:/CN=..."
	Grant
}

// Of finds whose a certificate is. Rules are tried in their order. A certificate with URIs
// is known by these alone, and has to have one; without, it has to have one name of a kind
// to be known by it. Errors wrap ErrNobody.
func (list Rules) Of(cert *x509.Certificate) (Person, error) {
	if len(cert.URIs) > 1 {
		return Person{}, fmt.Errorf("%w: it has %d URIs, and an identity has one", ErrNobody, len(cert.URIs))
	}
	for _, r := range list {
		values, ok := r.values(cert)
		if !ok {
			continue
		}
		if p, ok := r.person(values); ok {
			return p, nil
		}
	}
	return Person{}, fmt.Errorf("%w: names of %.100q are as in none", ErrNobody, cert.Subject.String())
}

// values are the parts of the name in a certificate that a rule is about.
func (r rule) values(cert *x509.Certificate) ([]string, bool) {
	if r.scheme == schemeSPIFFE {
		if len(cert.URIs) != 1 || cert.URIs[0].Scheme != "spiffe" || cert.URIs[0].Host == "" || cert.URIs[0].User != nil || cert.URIs[0].RawQuery != "" || cert.URIs[0].Fragment != "" {
			return nil, false
		}
		return split(r.scheme, cert.URIs[0].Host+cert.URIs[0].Path), true
	}
	switch {
	case len(cert.URIs) > 0:
		return nil, false
	case r.scheme == schemeDNS && len(cert.DNSNames) == 1:
		return split(r.scheme, strings.TrimSuffix(cert.DNSNames[0], ".")), true
	case r.scheme == schemeEmail && len(cert.EmailAddresses) == 1 && strings.Count(cert.EmailAddresses[0], "@") == 1:
		return split(r.scheme, cert.EmailAddresses[0]), true
	case r.scheme == schemeSubject:
		return r.attributes(cert)
	}
	return nil, false
}

func isAttribute(name string) bool { return name == "CN" || name == "OU" || name == "O" }

// attributes are those of the subject that the rule names; each has to be there once.
func (r rule) attributes(cert *x509.Certificate) (values []string, ok bool) {
	names := 0
	for _, a := range cert.Subject.Names { // CommonName is the last of several
		if a.Type.String() == "2.5.4.3" {
			names++
		}
	}
	for _, part := range r.parts {
		attribute, _, _ := strings.Cut(part, "=")
		var has []string
		switch attribute {
		case "CN":
			if has = []string{cert.Subject.CommonName}; names != 1 {
				return nil, false
			}
		case "OU":
			has = cert.Subject.OrganizationalUnit
		case "O":
			has = cert.Subject.Organization
		}
		if len(has) != 1 {
			return nil, false
		}
		values = append(values, attribute+"="+has[0])
	}
	return values, true
}

// person holds the parts of a name against the rule.
func (r rule) person(values []string) (p Person, ok bool) {
	if len(values) != len(r.parts) {
		return p, false
	}
	p.Grant = r.grant
	for n, want := range r.parts {
		value := values[n]
		if r.scheme == schemeSubject {
			_, want, _ = strings.Cut(want, "=")
			_, value, _ = strings.Cut(value, "=")
		}
		switch {
		case value == "" || strings.ContainsAny(value, "*/") || strings.ContainsFunc(value, unicode.IsControl):
			return p, false
		case want == tenantPlace:
			p.Tenant = value
		case want != namePlace && want != value:
			return p, false
		}
	}
	p.Name = r.join(values)
	return p, len(p.Name) <= maxName
}

func (r rule) join(values []string) string {
	switch r.scheme {
	case schemeSPIFFE:
		return r.scheme + "//" + strings.Join(values, "/")
	case schemeDNS:
		return r.scheme + strings.Join(values, ".")
	case schemeEmail:
		return r.scheme + strings.Join(values, "@")
	}
	return r.scheme + "/" + strings.Join(values, "/")
}
