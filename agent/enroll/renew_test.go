package enroll

import (
	"crypto/x509"
	"testing"

	"cassini/model"
	"cassini/tools/testca"
)

// TestOutdated holds what a manager shows against what an agent knows.
func TestOutdated(t *testing.T) {
	old, next := testca.New(t, testca.Config{Name: model.AuthorityName + "m"}).Cert, testca.New(t, testca.Config{Name: model.AuthorityName + "m"}).Cert
	company := testca.New(t, testca.Config{Name: "Example Corp"}).Cert
	list := func(certs ...*x509.Certificate) []*x509.Certificate { return certs }
	for name, c := range map[string]struct {
		known, shown []*x509.Certificate
		want         bool
	}{
		"none is rotated":                       {list(old), list(old), false},
		"a rotation begins":                     {list(old), list(old, next), true},
		"it is known":                           {list(old, next), list(old, next), false},
		"it has ended":                          {list(old, next), list(next), true},
		"that is known":                         {list(next), list(next), false},
		"a company's signs for the manager":     {list(company, next), list(company), false},
		"one that shows no authority":           {list(company, next), nil, false},
		"a company's before the manager's own":  {list(company, next), list(next), false},
		"its own after it had a company's":      {list(company), list(next), true},
		"of two of its own one, with a company": {list(company, old, next), list(next), true},
	} {
		if got := outdated(c.known, c.shown); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
