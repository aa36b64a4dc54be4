package enroll

import (
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// original is an estate of one host, which joined with all that a token can give.
func original(t *testing.T) (*Authority, *x509.Certificate) {
	t.Helper()
	a := open(t, t.TempDir(), start)
	order := TokenRequest{Role: RoleAgent, Tenant: "shop", Label: "rack 3", Labels: map[string]string{"env": "prod"}}
	j, err := a.Join(token(t, a, order, start), JoinRequest{Host: "web-1", Machine: box(1), Request: request(t, nil)}, start)
	if err != nil {
		t.Fatal(err)
	}
	return a, certOf(t, j)
}

// copied names another machine that shows a certificate.
func copied(t *testing.T, a *Authority, shown *x509.Certificate, m *model.Machine) (string, *x509.Certificate) {
	t.Helper()
	j, err := a.Copy(shown, JoinRequest{Machine: m, Request: request(t, nil)}, start)
	if err != nil {
		t.Fatal(err)
	}
	return j.Host, certOf(t, j)
}

// TestCopy: what a copied certificate is good for, and for nothing else.
func TestCopy(t *testing.T) {
	a, cert := original(t)
	var moved []string
	a.cfg.Moved = func(host string) { moved = append(moved, host) }
	before := a.Hosts()[0]
	host, other := copied(t, a, cert, box(2))
	if third, _ := copied(t, a, other, box(3)); host != "web-1~2" || third != "web-1~3" || !slices.Equal(moved, []string{"web-1~2", "web-1~3"}) {
		t.Errorf("copies are %s and %s, and moved %v", host, third, moved)
	}
	hosts := a.Hosts()
	r := hosts[1]
	if r.Host != host || r.Name != "web-1" || r.Tenant != "shop" || r.Label != "rack 3" || r.Labels["env"] != "prod" || *r.CopyOf != (Origin{"web-1", serialOf(cert)}) || hosts[2].CopyOf.Host != host {
		t.Errorf("it is kept as %+v", r)
	}
	if who, err := a.whose(other, start); err != nil || who != (Who{Role: RoleAgent, Host: host}) || other.Subject.CommonName != "web-1" || tenantIn(other) != "shop" {
		t.Errorf("it is %v, %v", who, err)
	}
	if !hosts[0].Machine.Equal(*before.Machine) || len(hosts[0].Certificates) != 1 {
		t.Errorf("the original became %+v", hosts[0])
	}
	if who, err := a.whose(cert, start); err != nil || who.Host != "web-1" {
		t.Errorf("the original is %v, %v", who, err)
	}
	if uses := a.Tokens()[0].Uses + a.Tokens()[1].Uses; uses != 1 {
		t.Errorf("tokens have %d uses", uses)
	}
	// It renews like any other, and stays what it is.
	j, err := a.Renew(other, JoinRequest{Machine: box(2), Request: request(t, nil)}, start.Add(time.Hour))
	if err != nil || j.Host != host || a.Hosts()[1].CopyOf == nil {
		t.Errorf("%+v, %v", j, err)
	}
}

// TestCopyAgain: an answer that was lost costs no second name; a name that a copy was given is
// not had again by the certificate that it came by, whatever a machine says of itself.
func TestCopyAgain(t *testing.T) {
	a, cert := original(t)
	key := newKey(t)
	ask := func(m *model.Machine) (string, error) {
		j, err := a.Copy(cert, JoinRequest{Machine: m, Request: request(t, key)}, start)
		if err != nil {
			return "", err
		}
		return j.Host, nil
	}
	for range 2 {
		if host, err := ask(box(2)); err != nil || host != "web-1~2" {
			t.Errorf("%s, %v", host, err)
		}
	}
	if host, err := ask(box(3)); err != nil || host != "web-1~3" { // a copy of the pending key, too
		t.Errorf("%s, %v", host, err)
	}
	key = newKey(t)
	if _, err := ask(box(2)); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "--host web-1~2") {
		t.Errorf("the original's key is good for the copy's name: %v", err)
	}
}

// TestCopyRefused: who may not have a name by a certificate.
func TestCopyRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		before func(a *Authority, cert *x509.Certificate)
		edit   func(*JoinRequest)
		at     time.Time
		err    error
	}{
		"the original was revoked":    {before: func(a *Authority, _ *x509.Certificate) { _, _ = a.Revoke("web-1", "", start) }, err: ErrRevoked},
		"its certificate was revoked": {before: func(a *Authority, c *x509.Certificate) { _, _ = a.Revoke("web-1", serialOf(c), start) }, err: ErrRevoked},
		"it has ended":                {at: start.Add(2 * DefaultLife), err: ErrExpired},
		"it was replaced since": {before: func(a *Authority, c *x509.Certificate) {
			for range 2 {
				j, err := a.Renew(c, JoinRequest{Request: request(t, nil)}, start)
				if err != nil {
					t.Fatal(err)
				}
				c = certOf(t, j)
			}
		}, err: ErrRevoked},
		"nonsense for a machine": {edit: func(j *JoinRequest) { j.Machine = &model.Machine{MACs: []string{"x"}} }, err: ErrInvalid},
		"nonsense for a request": {edit: func(j *JoinRequest) { j.Request = "x" }, err: ErrInvalid},
		"more than there may be": {before: func(a *Authority, c *x509.Certificate) {
			for n := range maxCopies {
				copied(t, a, c, &model.Machine{MachineID: "image", DMI: string(rune('A' + n))})
			}
		}, err: ErrFull},
	} {
		t.Run(name, func(t *testing.T) {
			a, cert := original(t)
			if tc.before != nil {
				tc.before(a, cert)
			}
			j := JoinRequest{Machine: box(2), Request: request(t, nil)}
			if tc.edit != nil {
				tc.edit(&j)
			}
			if tc.at.IsZero() {
				tc.at = start
			}
			hosts := len(a.Hosts())
			if got, err := a.Copy(cert, j, tc.at); !errors.Is(err, tc.err) {
				t.Errorf("got %+v, %v; want %v", got, err, tc.err)
			}
			if n := len(a.Hosts()); n != hosts {
				t.Errorf("%d hosts, and %d before", n, hosts)
			}
		})
	}
}

// TestCopyRevoked: whoever stole a key may have got names by it. They go with it, but for those
// that were let in by a token since.
func TestCopyRevoked(t *testing.T) {
	for serial, want := range map[bool]string{false: "web-1 web-1~2 web-1~3", true: "web-1~2 web-1~3"} {
		a, cert := original(t)
		_, second := copied(t, a, cert, box(2))
		copied(t, a, second, box(3))
		copied(t, a, cert, box(4))
		if _, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent, Host: "web-1~4", Tenant: "shop"}, start), JoinRequest{Host: "web-1", Machine: box(4), Request: request(t, nil)}, start); err != nil {
			t.Fatal(err)
		}
		shut := ""
		if serial {
			shut = serialOf(cert)
		}
		copies, err := a.Revoke("web-1", shut, start.Add(time.Minute))
		if err != nil || !slices.Equal(copies, []string{"web-1~2", "web-1~3"}) {
			t.Errorf("serial %v: %v, %v", serial, copies, err)
		}
		var revoked []string
		for _, r := range a.Hosts() {
			if !r.Revoked.IsZero() {
				revoked = append(revoked, r.Host)
			}
		}
		if got := strings.Join(revoked, " "); got != want {
			t.Errorf("serial %v: revoked are %s, want %s", serial, got, want)
		}
	}
}

// TestCopyForgotten: a host is forgotten of whose data directory others are copies. They stay
// copies of that of which it was one itself, and have nothing to do with whoever gets its name.
func TestCopyForgotten(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	later := start.Add(DefaultLife)
	cert := joined(t, a, "web-1", start)
	_, second := copied(t, a, cert, box(2))
	_, third := copied(t, a, second, box(3))
	j, err := a.Renew(third, JoinRequest{Request: request(t, nil)}, later.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	forget := func(host string) {
		t.Helper()
		if gone, err := a.Forget(host, later); !gone || err != nil {
			t.Fatalf("%s: %v, %v", host, gone, err)
		}
	}
	forget("web-1~2")
	_ = a.Close()
	a = open(t, dir, later)
	if of := a.hosts["web-1~3"].CopyOf; of == nil || *of != (Origin{"web-1", serialOf(cert)}) {
		t.Errorf("it is kept as a copy of %+v", of)
	}
	forget("web-1")
	j, err = a.Copy(certOf(t, j), JoinRequest{Machine: box(4), Request: request(t, nil)}, later)
	if err != nil || j.Host != "web-1~2" {
		t.Fatalf("the next copy is %+v, %v", j, err)
	}
	if copies, err := a.Revoke("web-1~2", "", later); err != nil || len(copies) > 0 {
		t.Errorf("it got its name by %v, %v", copies, err)
	}
	if copies, err := a.Revoke("web-1~3", "", later); err != nil || len(copies) > 0 {
		t.Errorf("of which %v, %v", copies, err)
	}
}

// TestCopyRestored: copies that a backup does not know are known for what they are when they come,
// whoever comes first, and go with the original.
func TestCopyRestored(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	cert := joined(t, a, "web-1", start)
	_ = a.Close()
	old := gone(t, dir)
	a = open(t, dir, start)
	_, second := copied(t, a, cert, box(2))
	_, third := copied(t, a, second, box(3))
	want := map[string]Origin{"web-1~2": *a.hosts["web-1~2"].CopyOf, "web-1~3": *a.hosts["web-1~3"].CopyOf}
	_ = a.Close()
	if err := Restored(filepath.Join(old, StateFile), start, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	a = open(t, old, start.Add(time.Hour))
	for host, shown := range map[string]*x509.Certificate{"web-1~2": second, "web-1~3": third} {
		who, err := a.whose(shown, start.Add(time.Hour))
		if of := a.hosts[host].CopyOf; err != nil || who.Host != host || of == nil || *of != want[host] {
			t.Errorf("%s is %+v, %v, a copy of %+v; want %+v", host, who, err, of, want[host])
		}
	}
	if copies, err := a.Revoke("web-1", "", start.Add(time.Hour)); err != nil || !slices.Equal(copies, []string{"web-1~2", "web-1~3"}) {
		t.Errorf("revoked are %v, %v", copies, err)
	}

	// A name that nobody is known to have was given again, and that one's copies are a ring.
	two, three := a.hosts["web-1~2"], a.hosts["web-1~3"]
	two.CopyOf, two.Revoked, three.Revoked = &Origin{Host: "web-1~3"}, time.Time{}, time.Time{}
	if err := a.store(change{hosts: []Record{two, three}}); err != nil {
		t.Fatal(err)
	}
	if copies, err := a.Revoke("web-1~2", "", start.Add(time.Hour)); err != nil || !slices.Equal(copies, []string{"web-1~3"}) {
		t.Errorf("of a ring %v, %v", copies, err)
	}
}
