package enroll

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func certified(t *testing.T, a *Authority, r TokenRequest, now time.Time) (*x509.Certificate, Token) {
	t.Helper()
	c, token, err := a.Certify(r, request(t, nil), now)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(c.Certificate))
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert, token
}

// TestClients shows certificates of people in every state.
func TestClients(t *testing.T) {
	dir := t.TempDir()
	a, other := open(t, dir, start), open(t, t.TempDir(), start)
	viewer, _ := certified(t, a, TokenRequest{Role: RoleViewer, Tenant: "shop", Life: time.Hour}, start)
	admin, _ := certified(t, a, TokenRequest{Role: RoleAdmin}, start)
	revoked, record := certified(t, a, TokenRequest{Role: RoleOperator}, start)
	if err := a.RevokeToken(record.ID, start); err != nil {
		t.Fatal(err)
	}
	foreign, _ := certified(t, other, TokenRequest{Role: RoleAdmin}, start)
	// who has the key of the authority makes one like the admin's
	forged, err := a.trust.Load().ca.sign(&x509.Certificate{Subject: admin.Subject, URIs: admin.URIs, ExtKeyUsage: admin.ExtKeyUsage}, newKey(t).Public(), start, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := a.trust.Load().ca.sign(&x509.Certificate{Subject: admin.Subject, URIs: []*url.URL{clientURI("0123456789")}, ExtKeyUsage: admin.ExtKeyUsage}, newKey(t).Public(), start, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, dir, start) // they outlive a restart
	for name, tc := range map[string]struct {
		cert *x509.Certificate
		at   time.Duration
		want error
		role Role
	}{
		"viewer": {viewer, 0, nil, RoleViewer}, "admin": {admin, time.Hour, nil, RoleAdmin},
		"ended": {viewer, time.Hour + 1, ErrExpired, ""}, "not yet": {viewer, -time.Hour, ErrForbidden, ""}, "revoked": {revoked, 0, ErrRevoked, ""},
		"another manager's": {foreign, 0, ErrUnknown, ""}, "of a known id, with another key": {forged, 0, ErrUnknown, ""}, "of no record": {bare, 0, ErrUnknown, ""},
	} {
		who, err := a.Shown([]*x509.Certificate{tc.cert}, start.Add(tc.at))
		if !errors.Is(err, tc.want) || who.Role != tc.role {
			t.Errorf("%s: got %v, %v", name, who, err)
		}
		if err != nil && strings.Contains(err.Error(), "cassini join") {
			t.Errorf("%s: %v: this is no host", name, err)
		}
	}
	if who, _ := a.Shown([]*x509.Certificate{viewer}, start); who.Tenant != "shop" || !strings.HasPrefix(who.String(), "viewer of tenant shop (certificate ") {
		t.Errorf("%q", who)
	}
	if _, err := a.Renew(admin, JoinRequest{Request: request(t, nil)}, start); !errors.Is(err, ErrForbidden) {
		t.Errorf("an admin renews as an agent: %v", err)
	}
	if _, err := a.Bearer("cassini_admin_"+strings.TrimPrefix(admin.URIs[0].Path, "/")+"_"+strings.Repeat("0", 48)+"_"+a.Pin(), start); !errors.Is(err, ErrUnknown) {
		t.Errorf("a certificate's identifier as a token: %v", err)
	}
	for name, r := range map[string]TokenRequest{"agent": {Role: RoleAgent}, "king": {Role: "king"}, "admin of a tenant": {Role: RoleAdmin, Tenant: "shop"}} {
		if _, _, err := a.Certify(r, request(t, nil), start); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := a.Certify(TokenRequest{Role: RoleViewer}, "nonsense", start); !errors.Is(err, ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

// TestClientsRotate rotates the authority: people's certificates count until the old one is
// retired, and keep it from that until its time is over.
func TestClientsRotate(t *testing.T) {
	a := open(t, t.TempDir(), start)
	before, _ := certified(t, a, TokenRequest{Role: RoleViewer}, start)
	if err := a.Rotate(time.Hour, start); err != nil {
		t.Fatal(err)
	}
	after, _ := certified(t, a, TokenRequest{Role: RoleViewer}, start)
	for _, cert := range []*x509.Certificate{before, after} {
		if _, err := a.Shown([]*x509.Certificate{cert}, start); err != nil {
			t.Error(err)
		}
	}
	if v := a.View(start); len(v.Rotation.Tokens) != 1 {
		t.Errorf("%+v", v.Rotation)
	}
	if retired, err := a.Tend(start.Add(time.Hour)); err != nil || !retired {
		t.Fatal(retired, err)
	}
	if _, err := a.Shown([]*x509.Certificate{before}, start.Add(time.Hour)); !errors.Is(err, ErrUnknown) {
		t.Errorf("of the old one: %v", err)
	}
	if _, err := a.Shown([]*x509.Certificate{after}, start.Add(time.Hour)); err != nil {
		t.Errorf("of the new one: %v", err)
	}
}

// person is a certificate of a person by another authority.
func (c *company) person(template x509.Certificate) *x509.Certificate {
	template.NotBefore, template.NotAfter, template.ExtKeyUsage = start, start.Add(time.Hour), []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return c.Give(&template).Leaf
}

func (c *company) list(t *testing.T, path string, until time.Time, revoked ...*x509.Certificate) string {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: start, NextUpdate: until}
	for _, cert := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: start})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, c.Cert, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPeopleOfAnotherAuthority turns names into roles, beside agents of the same authority.
func TestPeopleOfAnotherAuthority(t *testing.T) {
	a, c, evil := open(t, t.TempDir(), start), newCompany(t), newCompany(t)
	dir := t.TempDir()
	alice := c.person(x509.Certificate{EmailAddresses: []string{"alice@example.org"}})
	shop := c.person(x509.Certificate{Subject: pkix.Name{OrganizationalUnit: []string{"shop"}, CommonName: "bob"}})
	gone := c.person(x509.Certificate{EmailAddresses: []string{"gone@example.org"}})
	lost := c.agent(start, "spiffe://example.org/agent/db-9")
	files := Files{
		ClientCA: c.Write(filepath.Join(dir, "company.pem")), IDs: []string{"spiffe://example.org/*/{host}"},
		People: []string{"operator=email:{name}@example.org", "viewer=subject:/OU={tenant}/CN={name}", "viewer=spiffe://example.org/people/{name}", "admin=dns:root.example.org"},
		Lists:  []string{c.list(t, filepath.Join(dir, "crl.pem"), start.Add(30*time.Minute), gone, lost)},
	}
	if err := a.ReadFiles(files); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		cert *x509.Certificate
		at   time.Duration
		want error
		who  string
	}{
		"operator":                {alice, 0, nil, "operator (certificate email:alice@example.org)"},
		"of a tenant":             {shop, 0, nil, "viewer of tenant shop (certificate subject:/OU=shop/CN=bob)"},
		"admin":                   {c.person(x509.Certificate{DNSNames: []string{"root.example.org"}}), 0, nil, "admin (certificate dns:root.example.org)"},
		"an agent all the same":   {c.agent(start, "spiffe://example.org/agent/db-1"), 0, nil, "agent of db-1"},
		"agent and person":        {c.agent(start, "spiffe://example.org/people/alice"), 0, ErrForbidden, ""},
		"no tenant's name":        {c.person(x509.Certificate{Subject: pkix.Name{OrganizationalUnit: []string{"No Tenant"}, CommonName: "bob"}}), 0, ErrForbidden, ""},
		"by no rule":              {c.person(x509.Certificate{EmailAddresses: []string{"alice@example.com"}}), 0, ErrForbidden, ""},
		"revoked":                 {gone, 0, ErrRevoked, ""},
		"a revoked agent":         {lost, 0, ErrRevoked, ""},
		"expired":                 {alice, 2 * time.Hour, ErrExpired, ""},
		"with a list out of date": {alice, 31 * time.Minute, ErrExpired, ""},
		"foreign":                 {evil.person(x509.Certificate{EmailAddresses: []string{"alice@example.org"}}), 0, ErrUnknown, ""},
	} {
		who, err := a.Shown([]*x509.Certificate{tc.cert}, start.Add(tc.at))
		if !errors.Is(err, tc.want) || err == nil && who.String() != tc.who {
			t.Errorf("%s: got %v, %v", name, who, err)
		}
	}
	for name, edit := range map[string]func(*Files){
		"king":                 func(f *Files) { f.People = []string{"king=email:{name}@example.org"} },
		"agent":                func(f *Files) { f.People = []string{"agent=email:{name}@example.org"} },
		"admin of a tenant":    func(f *Files) { f.People = []string{"admin=subject:/OU={tenant}/CN={name}"} },
		"no tenant":            func(f *Files) { f.People = []string{"viewer@No Tenant=email:{name}@example.org"} },
		"no authority":         func(f *Files) { f.ClientCA, f.IDs, f.Lists = "", nil, nil },
		"another's list":       func(f *Files) { f.Lists = []string{evil.list(t, filepath.Join(dir, "evil"), start)} },
		"a list that is none":  func(f *Files) { f.Lists = []string{files.ClientCA} },
		"a list not there":     func(f *Files) { f.Lists = []string{"/nonexistent"} },
		"users not there":      func(f *Files) { f.Users = "/nonexistent" },
		"users that are wrong": func(f *Files) { f.Users = files.ClientCA },
	} {
		changed := files
		edit(&changed)
		if err := a.ReadFiles(changed); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := a.Shown([]*x509.Certificate{alice}, start); err != nil {
		t.Errorf("those before do not stay: %v", err)
	}
}

// TestUsers gives passwords, and reads the file again when it is written anew.
func TestUsers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.yml")
	write := func(password, role string) {
		t.Helper()
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "basic_auth_users:\n  alice: %s\nroles:\n  alice: %s\n", hash, role), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := open(t, t.TempDir(), start)
	if _, err := a.User("alice", "x", "192.0.2.1:1", start); !errors.Is(err, ErrUnknown) || a.Passwords() {
		t.Errorf("without users: %v", err)
	}
	write("first", "operator@shop")
	if err := a.ReadFiles(Files{Users: path}); err != nil {
		t.Fatal(err)
	}
	if who, err := a.User("alice", "first", "192.0.2.1:1", start); err != nil || who.String() != "operator of tenant shop (user alice)" || !a.Passwords() {
		t.Errorf("%v, %v", who, err)
	}
	if who, err := a.User("alice", "wrong", "192.0.2.1:1", start); !errors.Is(err, ErrUnknown) || who.User != "alice" || who.Role != "" {
		t.Errorf("%v, %v", who, err)
	}
	if who, err := a.User("bob", "wrong", "192.0.2.1:1", start); !errors.Is(err, ErrUnknown) || who != (Who{}) {
		t.Errorf("%v, %v", who, err)
	}
	write("second", "viewer")
	if changed, err := a.Reread(); !changed || err != nil {
		t.Fatal(changed, err)
	}
	if _, err := a.User("alice", "first", "192.0.2.1:1", start); !errors.Is(err, ErrUnknown) {
		t.Errorf("the password of before: %v", err)
	}
	if who, err := a.User("alice", "second", "192.0.2.1:1", start); err != nil || who.Role != RoleViewer {
		t.Errorf("%v, %v", who, err)
	}
	write("third", "king")
	if changed, err := a.Reread(); changed || err == nil {
		t.Errorf("%v, %v", changed, err)
	}
	if _, err := a.User("alice", "second", "192.0.2.1:1", start); err != nil {
		t.Errorf("while the file cannot be used: %v", err)
	}
}
