package users

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/bcrypt"

	"cassini/manager/enroll/people"
	"cassini/transport/httpd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func hashed(t testing.TB, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func every(people.Grant) error { return nil }

func parsed(t testing.TB) *Users {
	t.Helper()
	text := fmt.Sprintf("basic_auth_users:\n  alice: %s\n  shop: %s\nroles:\n  alice: admin\n  shop: viewer@shop\n", hashed(t, "correct horse"), hashed(t, "battery"))
	path := filepath.Join(t.TempDir(), "users.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := Read(path, every)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestCheck(t *testing.T) {
	u := parsed(t)
	for name, tc := range map[string]struct {
		user, password string
		want           people.Grant
	}{
		"alice":                  {"alice", "correct horse", people.Grant{Role: "admin"}},
		"of a tenant":            {"shop", "battery", people.Grant{Role: "viewer", Tenant: "shop"}},
		"a wrong password":       {"alice", "battery", people.Grant{}},
		"no password":            {"alice", "", people.Grant{}},
		"another name":           {"bob", "battery", people.Grant{}},
		"another case":           {"Alice", "correct horse", people.Grant{}},
		"no name":                {"", "battery", people.Grant{}},
		"more than bcrypt takes": {"alice", strings.Repeat("x", 73), people.Grant{}},
	} {
		tries := NewTries()
		for range 2 { // the second time it is remembered
			got, err := u.Check(tries, tc.user, tc.password, "192.0.2.1:7", start)
			if got != tc.want || (err == nil) != (tc.want != people.Grant{}) || err != nil && !errors.Is(err, ErrWrong) {
				t.Errorf("%s: got %+v, %v", name, got, err)
			}
		}
	}
}

// TestGuessing gives wrong passwords until they are not tried any more.
func TestGuessing(t *testing.T) {
	u, tries := parsed(t), NewTries()
	try := func(password, from string, at time.Duration) error {
		_, err := u.Check(tries, "alice", password, from, start.Add(at))
		return err
	}
	if err := try("correct horse", "192.0.2.9:1", 0); err != nil {
		t.Fatal(err)
	}
	for n := range maxWrong {
		if err := try("guess", "192.0.2.1:7", 0); !errors.Is(err, ErrWrong) {
			t.Fatalf("guess %d: %v", n, err)
		}
	}
	for name, tc := range map[string]struct {
		password, from string
		at             time.Duration
		want           error
	}{
		"one guess more":               {"guess", "192.0.2.1:8", 0, ErrBusy},
		"another user's from there":    {"other", "[::ffff:192.0.2.1]:8", 0, ErrBusy},
		"from elsewhere":               {"guess", "192.0.2.2:8", 0, ErrWrong},
		"what is remembered, as right": {"correct horse", "192.0.2.1:9", 0, nil},
		"six seconds later":            {"guess", "192.0.2.1:7", perWrong, ErrWrong},
	} {
		if err := try(tc.password, tc.from, tc.at); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if len(httpd.Network("[2001:db8::1]:7").String()) == 0 || httpd.Network("[2001:db8::1]:7") != httpd.Network("[2001:db8::2]:8") || httpd.Network("x") != httpd.Network("y") {
		t.Error("networks")
	}
}

// TestManyAtOnce asks with the right password from many sides: all get in.
func TestManyAtOnce(t *testing.T) {
	u, tries := parsed(t), NewTries()
	var all sync.WaitGroup
	for range maxWaiting {
		all.Go(func() {
			if _, err := u.Check(tries, "alice", "correct horse", "192.0.2.1:7", start); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if tries.waiting != 0 || len(tries.slots) != 0 {
		t.Errorf("%d wait, %d are tried", tries.waiting, len(tries.slots))
	}
}

func TestTriesAreBounded(t *testing.T) {
	tries := NewTries()
	for n := range maxFrom + 10 {
		end, err := tries.begin(fmt.Sprintf("10.%d.%d.%d:1", n>>16, n>>8&255, n&255), start)
		if err != nil {
			t.Fatal(err)
		}
		end(true)
	}
	if len(tries.debts) > maxFrom {
		t.Errorf("%d addresses are remembered", len(tries.debts))
	}
	tries.waiting = maxWaiting
	if _, err := tries.begin("192.0.2.1:7", start); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v", err)
	}
}

func TestParse(t *testing.T) {
	good := hashed(t, "x")
	for name, tc := range map[string]struct{ text, want string }{
		"no role":        {"basic_auth_users: {a: " + good + "}", "has no role"},
		"nobody":         {"basic_auth_users: {}", "has 0 users"},
		"no users":       {"roles: {a: viewer}", "has 0 users"},
		"plain password": {"basic_auth_users: {a: secret}\nroles: {a: viewer}", "no hash by bcrypt"},
		"nobody's role":  {"basic_auth_users: {a: " + good + "}\nroles: {a: viewer, b: admin}", `names "b"`},
		"a colon":        {"basic_auth_users: {'a:b': " + good + "}\nroles: {'a:b': viewer}", "without colons"},
		"another key":    {"basic_auth_users: {a: " + good + "}\nroles: {a: viewer}\ntls: 1", "field tls not found"},
		"not YAML":       {"a\n b: {", "want basic_auth_users"},
		"empty":          {"", "want basic_auth_users"},
		"costly":         {"basic_auth_users: {a: " + strings.Replace(good, "$04$", "$31$", 1) + "}\nroles: {a: viewer}", "cost of 31"},
		"a role refused": {"basic_auth_users: {a: " + good + "}\nroles: {a: king}", "role of user"},
	} {
		_, err := Parse([]byte(tc.text), func(g people.Grant) error {
			if g.Role == "king" {
				return errors.New("there are no kings")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), good[7:]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("basic_auth_users: {a: $2a$04$x}\nroles: {a: viewer}")
	f.Add("basic_auth_users: &x {a: *x}")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := Parse([]byte(text), every)
		if err == nil && (len(u.all) == 0 || u.cost > maxCost) {
			t.Errorf("%q: %+v", text, u)
		}
	})
}
