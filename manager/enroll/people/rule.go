package people

import (
	"fmt"
	"strings"
)

// Grant is what somebody may do: a role, for one tenant or with "" for the whole estate.
type Grant struct{ Role, Tenant string }

// ParseGrant reads ROLE or ROLE@TENANT. Which roles and tenants there are is not looked at.
func ParseGrant(text string) Grant {
	role, tenant, _ := strings.Cut(text, "@")
	return Grant{role, tenant}
}

// Places in a rule.
const (
	namePlace   = "{name}"
	tenantPlace = "{tenant}"
)

// Schemes of names.
const (
	schemeSPIFFE  = "spiffe:"
	schemeDNS     = "dns:"
	schemeEmail   = "email:"
	schemeSubject = "subject:"
)

// rule says what one form of name may do.
type rule struct {
	grant  Grant
	scheme string
	parts  []string // of the name; with schemeSubject "CN=..."
}

// Rules are forms of names. The zero value knows nobody.
type Rules []rule

// Parse reads rules of the form ROLE=NAME or ROLE@TENANT=NAME, where NAME is
// spiffe://example.org/people/{name}, dns:{name}.ops.example.org, email:{name}@example.org
// or subject:/O=Example/OU=ops/CN={name}. {name} is any one part, and {tenant} too, which is
// then whose hosts are seen. Errors wrap ErrRule.
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
	grant, form, ok := strings.Cut(text, "=")
	if !ok || grant == "" {
		return r, fmt.Errorf("want ROLE=NAME or ROLE@TENANT=NAME, such as viewer=email:{name}@example.org")
	}
	r.grant = ParseGrant(grant)
	for _, scheme := range []string{schemeSPIFFE, schemeDNS, schemeEmail, schemeSubject} {
		if name, ok := strings.CutPrefix(form, scheme); ok {
			r.scheme, r.parts = scheme, split(scheme, name)
			return r, r.check()
		}
	}
	return r, fmt.Errorf("want spiffe://, dns:, email: or subject: before the name")
}

// split takes a name apart: what is between separators is one part.
func split(scheme, name string) []string {
	switch scheme {
	case schemeSPIFFE:
		return strings.Split(strings.TrimPrefix(name, "//"), "/")
	case schemeDNS:
		return strings.Split(strings.ToLower(name), ".")
	case schemeEmail:
		user, domain, _ := strings.Cut(name, "@")
		return []string{user, strings.ToLower(domain)}
	}
	return strings.Split(strings.TrimPrefix(name, "/"), "/")
}

func (r rule) check() error {
	names, tenants := 0, 0
	for _, part := range r.parts {
		value := part
		if r.scheme == schemeSubject {
			attribute, v, ok := strings.Cut(part, "=")
			if !ok || !isAttribute(attribute) {
				return fmt.Errorf("part %q: want CN=, OU= or O= and its value", part)
			}
			value = v
		}
		switch {
		case value == namePlace:
			names++
		case value == tenantPlace:
			tenants++
		case value == "" || strings.ContainsAny(value, "{}*"):
			return fmt.Errorf("part %q: want %s, %s, or text without braces and stars", part, namePlace, tenantPlace)
		}
	}
	switch {
	case names > 1 || tenants > 1:
		return fmt.Errorf("want %s and %s once each at most", namePlace, tenantPlace)
	case tenants == 1 && r.grant.Tenant != "":
		return fmt.Errorf("it names tenant %s, and has a place for one", r.grant.Tenant)
	}
	return nil
}

// Grants are what the rules give; a tenant that a name has is TenantPlace.
func (list Rules) Grants() (grants []Grant) {
	for _, r := range list {
		g := r.grant
		for _, part := range r.parts {
			if strings.HasSuffix(part, tenantPlace) {
				g.Tenant = TenantPlace
			}
		}
		grants = append(grants, g)
	}
	return grants
}

// TenantPlace stands in Grants for a tenant that is read from the name.
const TenantPlace = tenantPlace
