package identify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

// Places in a rule.
const (
	hostPlace   = "{host}"
	tenantPlace = "{tenant}"
	anyPlace    = "*" // one segment of a path, or one label of a DNS name
)

const (
	schemeSPIFFE = "spiffe://"
	schemeDNS    = "dns:"
)

// rule is one form of identity: parts of a path or of a DNS name, in which the host stands
// once.
type rule struct {
	text   string
	domain spiffeid.TrustDomain // of a SPIFFE ID; the zero one for a DNS name
	parts  []string
	dns    bool
}

// partForm is what else may stand in a rule.
var partForm = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// Rules are forms of identity. The zero value knows nobody.
type Rules []rule

// Parse reads rules: "spiffe://example.org/agent/{host}", "spiffe://example.org/{tenant}/*/{host}",
// "dns:{host}", where the host is the whole name, or "dns:{host}.agents.example.org", where
// it is one label. Errors wrap ErrRule.
func Parse(texts []string) (list Rules, err error) {
	for _, text := range texts {
		r, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrRule, text, err)
		}
		list = append(list, r)
	}
	return list, nil
}

func parse(text string) (r rule, err error) {
	r.text = text
	switch {
	case strings.HasPrefix(text, schemeSPIFFE):
		domain, path, _ := strings.Cut(strings.TrimPrefix(text, schemeSPIFFE), "/")
		if r.domain, err = spiffeid.TrustDomainFromString(domain); err != nil {
			return r, err
		}
		r.parts = strings.Split(path, "/")
	case strings.HasPrefix(text, schemeDNS):
		r.dns = true
		r.parts = strings.Split(strings.ToLower(strings.TrimPrefix(text, schemeDNS)), ".")
	default:
		return r, fmt.Errorf("want it to begin with %s or %s", schemeSPIFFE, schemeDNS)
	}
	return r, r.check()
}

func (r rule) check() error {
	hosts, tenants := 0, 0
	for _, p := range r.parts {
		switch {
		case p == hostPlace:
			hosts++
		case p == tenantPlace:
			tenants++
		case p != anyPlace && !partForm.MatchString(p):
			return fmt.Errorf("part %q: want %s, %s, %s, or letters, digits, dots and hyphens", p, hostPlace, tenantPlace, anyPlace)
		}
	}
	if hosts != 1 || tenants > 1 {
		return fmt.Errorf("want %s in it once, and %s once at most, each as a whole part", hostPlace, tenantPlace)
	}
	return nil
}

// whole says that the host is all of a DNS name.
func (r rule) whole() bool { return r.dns && slices.Equal(r.parts, []string{hostPlace}) }

// match holds the parts of an identity against the rule.
func (r rule) match(parts []string) (host, tenant string, ok bool) {
	if r.whole() {
		return strings.Join(parts, "."), "", true
	}
	if len(parts) != len(r.parts) {
		return "", "", false
	}
	for n, want := range r.parts {
		switch {
		case parts[n] == "":
			return "", "", false
		case want == hostPlace:
			host = parts[n]
		case want == tenantPlace:
			tenant = parts[n]
		case want != anyPlace && want != parts[n]:
			return "", "", false
		}
	}
	return host, tenant, true
}
