package people

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rules(t *testing.T, texts ...string) Rules {
	t.Helper()
	list, err := Parse(texts)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func uris(t *testing.T, texts ...string) (list []*url.URL) {
	t.Helper()
	for _, text := range texts {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u)
	}
	return list
}

// subject is as parsing a certificate leaves it.
func subject(name pkix.Name) pkix.Name {
	rdn := name.ToRDNSequence()
	var parsed pkix.Name
	parsed.FillFromRDNSequence(&rdn)
	return parsed
}

func TestOf(t *testing.T) {
	list := rules(t,
		"admin=email:root@example.org", "operator=email:{name}@example.org", "viewer=spiffe://example.org/people/{name}",
		"viewer=spiffe://example.org/{tenant}/people/{name}", "viewer=dns:{name}.ops.example.org",
		"operator@shop=subject:/O=Example Ltd/OU=shop/CN={name}", "viewer=subject:/O=Example Ltd/OU={tenant}/CN={name}")
	two := subject(pkix.Name{Organization: []string{"Example Ltd"}, OrganizationalUnit: []string{"shop"}, CommonName: "alice"})
	two.Names = append(two.Names, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "root"})
	for name, tc := range map[string]struct {
		cert x509.Certificate
		want Person
	}{
		"the first rule":             {x509.Certificate{EmailAddresses: []string{"root@Example.ORG"}}, Person{"email:root@example.org", Grant{"admin", ""}}},
		"email":                      {x509.Certificate{EmailAddresses: []string{"alice@example.org"}}, Person{"email:alice@example.org", Grant{"operator", ""}}},
		"users have cases":           {x509.Certificate{EmailAddresses: []string{"Root@example.org"}}, Person{"email:Root@example.org", Grant{"operator", ""}}},
		"another domain":             {x509.Certificate{EmailAddresses: []string{"alice@example.com"}}, Person{}},
		"two addresses":              {x509.Certificate{EmailAddresses: []string{"alice@example.org", "root@example.org"}}, Person{}},
		"two signs":                  {x509.Certificate{EmailAddresses: []string{"root@example.org@example.com"}}, Person{}},
		"nobody's address":           {x509.Certificate{EmailAddresses: []string{"@example.org"}}, Person{}},
		"SPIFFE":                     {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/alice")}, Person{"spiffe://example.org/people/alice", Grant{"viewer", ""}}},
		"SPIFFE with a tenant":       {x509.Certificate{URIs: uris(t, "spiffe://example.org/shop/people/alice")}, Person{"spiffe://example.org/shop/people/alice", Grant{"viewer", "shop"}}},
		"another trust domain":       {x509.Certificate{URIs: uris(t, "spiffe://example.com/people/alice")}, Person{}},
		"a longer path":              {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/alice/x")}, Person{}},
		"an empty name":              {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/")}, Person{}},
		"a query":                    {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/alice?x=1")}, Person{}},
		"a user":                     {x509.Certificate{URIs: uris(t, "spiffe://x@example.org/people/alice")}, Person{}},
		"https":                      {x509.Certificate{URIs: uris(t, "https://example.org/people/alice")}, Person{}},
		"two URIs":                   {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/alice", "spiffe://example.org/people/bob")}, Person{}},
		"a URI and an address":       {x509.Certificate{URIs: uris(t, "spiffe://example.com/x"), EmailAddresses: []string{"root@example.org"}}, Person{}},
		"an encoded slash":           {x509.Certificate{URIs: uris(t, "spiffe://example.org/people/a%2Fb")}, Person{}},
		"DNS":                        {x509.Certificate{DNSNames: []string{"CI.ops.example.org"}}, Person{"dns:ci.ops.example.org", Grant{"viewer", ""}}},
		"any name":                   {x509.Certificate{DNSNames: []string{"*.ops.example.org"}}, Person{}},
		"two DNS names":              {x509.Certificate{DNSNames: []string{"ci.ops.example.org", "x.example.org"}}, Person{}},
		"subject":                    {x509.Certificate{Subject: subject(pkix.Name{Organization: []string{"Example Ltd"}, OrganizationalUnit: []string{"shop"}, CommonName: "alice"})}, Person{"subject:/O=Example Ltd/OU=shop/CN=alice", Grant{"operator", "shop"}}},
		"subject with a tenant":      {x509.Certificate{Subject: subject(pkix.Name{Organization: []string{"Example Ltd"}, OrganizationalUnit: []string{"bank"}, CommonName: "alice"})}, Person{"subject:/O=Example Ltd/OU=bank/CN=alice", Grant{"viewer", "bank"}}},
		"another organization":       {x509.Certificate{Subject: subject(pkix.Name{Organization: []string{"Example"}, OrganizationalUnit: []string{"shop"}, CommonName: "alice"})}, Person{}},
		"two units":                  {x509.Certificate{Subject: subject(pkix.Name{Organization: []string{"Example Ltd"}, OrganizationalUnit: []string{"shop", "x"}, CommonName: "alice"})}, Person{}},
		"two common names":           {x509.Certificate{Subject: two}, Person{}},
		"no common name":             {x509.Certificate{Subject: subject(pkix.Name{Organization: []string{"Example Ltd"}, OrganizationalUnit: []string{"shop"}})}, Person{}},
		"a line break in the name":   {x509.Certificate{EmailAddresses: []string{"a\nb@example.org"}}, Person{}},
		"a name of a thousand bytes": {x509.Certificate{EmailAddresses: []string{strings.Repeat("x", 1000) + "@example.org"}}, Person{}},
		"nothing":                    {x509.Certificate{}, Person{}},
	} {
		got, err := list.Of(&tc.cert)
		if got != tc.want || (err == nil) != (tc.want != Person{}) || err != nil && !errors.Is(err, ErrNobody) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if _, err := (Rules)(nil).Of(&x509.Certificate{EmailAddresses: []string{"alice@example.org"}}); !errors.Is(err, ErrNobody) {
		t.Errorf("without rules: %v", err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"viewer=email:{name}@example.org": "", "viewer@shop=dns:ci.example.org": "", "viewer=subject:/CN={name}": "",
		"":                                  "want ROLE=NAME",
		"email:{name}@example.org":          "want ROLE=NAME",
		"viewer=ldap:x":                     "before the name",
		"viewer=email:example.org":          `part ""`,
		"viewer=email:*@example.org":        "without braces and stars",
		"viewer=dns:{name}.{name}.org":      "once each at most",
		"viewer@shop=dns:{tenant}.x.org":    "has a place for one",
		"viewer=subject:/DC=org/CN=x":       "want CN=, OU= or O=",
		"viewer=spiffe://example.org//x":    `part ""`,
		"viewer=spiffe://example.org/{who}": "without braces",
	} {
		_, err := Parse([]string{text})
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrRule) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	f.Add("viewer=email:{name}@example.org", "alice@example.org", "spiffe://example.org/x", "CN")
	f.Add("viewer=spiffe://example.org/{tenant}/{name}", "", "spiffe://example.org/a/b", "")
	f.Fuzz(func(t *testing.T, text, email, uri, cn string) {
		list, err := Parse([]string{text})
		if err != nil {
			return
		}
		cert := x509.Certificate{EmailAddresses: []string{email}, DNSNames: []string{email}, Subject: pkix.Name{CommonName: cn, Names: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: cn}}}}
		if u, err := url.Parse(uri); err == nil && uri != "" {
			cert.URIs = []*url.URL{u}
		}
		p, err := list.Of(&cert)
		if err == nil && (p.Name == "" || len(p.Name) > maxName || p.Role != list[0].grant.Role) {
			t.Errorf("%q of %q %q %q: %+v", text, email, uri, cn, p)
		}
	})
}
