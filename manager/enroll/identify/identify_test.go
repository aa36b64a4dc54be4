package identify

import (
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	for text, ok := range map[string]bool{
		"spiffe://example.org/agent/{host}": true, "spiffe://example.org/{tenant}/*/{host}": true, "dns:{host}": true, "dns:{host}.agents.example.org": true, "dns:{host}.{tenant}.example.org": true,
		"": false, "spiffe://example.org": false, "spiffe://example.org/agent": false, "spiffe:///{host}": false, "spiffe://Example org/{host}": false, "spiffe://example.org/{host}/{host}": false,
		"spiffe://example.org/agent-{host}": false, "spiffe://example.org/a//{host}": false, "spiffe://example.org/{host}/": false, "https://example.org/{host}": false, "dns:": false, "dns:*.example.org": false, "dns:{tenant}.{tenant}.{host}": false,
		"spiffe://example.org:1/{host}": false, "spiffe://u@example.org/{host}": false, "spiffe://example.org/a b/{host}": false,
	} {
		list, err := Parse([]string{text})
		if (err == nil) != ok || !ok && !errors.Is(err, ErrRule) || ok && len(list) != 1 {
			t.Errorf("%q: %v, %v", text, list, err)
		}
	}
}

func TestOf(t *testing.T) {
	list, err := Parse([]string{"spiffe://example.org/agent/{host}", "spiffe://example.org/{tenant}/*/{host}", "dns:{host}.{tenant}.example.org", "dns:{host}.plain.example"})
	if err != nil {
		t.Fatal(err)
	}
	uri := func(texts ...string) (c x509.Certificate) {
		for _, text := range texts {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			c.URIs = append(c.URIs, u)
		}
		return c
	}
	dns := func(names ...string) x509.Certificate { return x509.Certificate{DNSNames: names} }
	both := uri("spiffe://example.org/agent/web-17")
	both.DNSNames = []string{"db-1.plain.example", "x"}
	other := uri("spiffe://evil.example/agent/web-17")
	other.DNSNames = []string{"web-17.plain.example"}
	for name, c := range map[string]struct {
		cert x509.Certificate
		want string // HOST@TENANT, or a part of the error
	}{
		"a host":                        {uri("spiffe://example.org/agent/web-17"), "web-17@"},
		"a host of a tenant":            {uri("spiffe://example.org/red/cluster-3/web-17"), "web-17@red"},
		"DNS names beside it":           {both, "web-17@"},
		"another trust domain":          {other, `of trust domain "evil.example"`},
		"a longer trust domain":         {uri("spiffe://example.org.evil.example/agent/web-17"), "of which there is no rule"},
		"another path":                  {uri("spiffe://example.org/workload/web-17"), "as in no rule"},
		"a longer path":                 {uri("spiffe://example.org/agent/web-17/x/y"), "as in no rule"},
		"an empty segment":              {uri("spiffe://example.org/agent//web-17"), "no SPIFFE ID"},
		"dots":                          {uri("spiffe://example.org/agent/../web-17"), "no SPIFFE ID"},
		"a query":                       {uri("spiffe://example.org/agent/web-17?x=1"), "no SPIFFE ID"},
		"a port":                        {uri("spiffe://example.org:1/agent/web-17"), "no SPIFFE ID"},
		"a user":                        {uri("spiffe://root@example.org/agent/web-17"), "no SPIFFE ID"},
		"another scheme":                {uri("https://example.org/agent/web-17"), "no SPIFFE ID"},
		"two URIs":                      {uri("spiffe://example.org/agent/web-17", "spiffe://example.org/agent/db-1"), "it has 2 URIs"},
		"the same URI twice":            {uri("spiffe://example.org/agent/web-17", "spiffe://example.org/agent/web-17"), "it has 2 URIs"},
		"a DNS name":                    {dns("web-17.plain.example"), "web-17@"},
		"a DNS name of a tenant":        {dns("Web-17.red.example.org."), "web-17@red"},
		"two DNS names":                 {dns("web-17.plain.example", "db-1.plain.example"), "2 DNS names"},
		"a wildcard":                    {dns("*.plain.example"), "as in no rule"},
		"another DNS name":              {dns("web-17.plain.example.evil.example"), "as in no rule"},
		"nothing":                       {x509.Certificate{}, "0 DNS names"},
		"escaped":                       {uri("spiffe://example.org/agent/web%2d17"), "no SPIFFE ID"},
		"an identity of the manager's":  {uri("cassini://agent/web-17"), "no SPIFFE ID"},
		"a trust domain in big letters": {uri("spiffe://EXAMPLE.org/agent/web-17"), "no SPIFFE ID"},
	} {
		id, err := list.Of(&c.cert)
		got := id.Host + "@" + id.Tenant
		if err != nil {
			got = err.Error()
		}
		if err == nil && got != c.want || err != nil && (!errors.Is(err, ErrNobody) || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	whole, err := Parse([]string{"dns:{host}"})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := whole.Of(&x509.Certificate{DNSNames: []string{"web-17.example.org"}}); err != nil || id.Host != "web-17.example.org" || id.ID != "dns:web-17.example.org" || id.Places {
		t.Errorf("%+v, %v", id, err)
	}
	if _, err := (Rules)(nil).Of(&both); !errors.Is(err, ErrNobody) {
		t.Errorf("without rules: %v", err)
	}
}

func FuzzOf(f *testing.F) {
	list, err := Parse([]string{"spiffe://example.org/{tenant}/*/{host}", "dns:{host}.x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("spiffe://example.org/a/b/c", "web.x")
	f.Add("spiffe://example.org/a/b", "")
	f.Fuzz(func(t *testing.T, uri, name string) {
		cert := &x509.Certificate{DNSNames: []string{name}}
		if u, err := url.Parse(uri); err == nil && uri != "" {
			cert.URIs = []*url.URL{u}
		}
		id, err := list.Of(cert)
		if err == nil && (id.Host == "" || strings.ContainsAny(id.Host, "/*") || id.ID == "") {
			t.Errorf("%q %q is %+v", uri, name, id)
		}
	})
}
