package users

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"

	"cassini/manager/enroll/people"
)

// Bounds of the file.
const (
	maxFile  = 4 << 20 // bytes
	maxUsers = 10_000
	maxName  = 100 // bytes
	maxCost  = 14  // of bcrypt: a second or so of a CPU
)

// file is what it looks like. The first key is that of
// https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md.
type file struct {
	Users map[string]string `yaml:"basic_auth_users"` // bcrypt
	Roles map[string]string `yaml:"roles"`            // ROLE or ROLE@TENANT
}

// Read reads a file. Roles and tenants are for check to see.
func Read(path string, check func(people.Grant) error) (*Users, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("read %s: it is longer than %d bytes", path, maxFile)
	}
	u, err := Parse(raw, check)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return u, nil
}

// Parse reads the content of a file. Errors name no hash.
func Parse(raw []byte, check func(people.Grant) error) (*Users, error) {
	var f file
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("want basic_auth_users and roles, each with names of users: %w", err)
	}
	if len(f.Users) == 0 || len(f.Users) > maxUsers {
		return nil, fmt.Errorf("basic_auth_users has %d users: want 1 to %d", len(f.Users), maxUsers)
	}
	u := &Users{all: make(map[string]user, len(f.Users)), right: make(map[[hashSize]byte]struct{})}
	for name, hash := range f.Users {
		cost, err := bcrypt.Cost([]byte(hash))
		switch {
		case err != nil:
			return nil, fmt.Errorf("user %q: the password is no hash by bcrypt: make one with 'htpasswd -nBC 10 USER'", name)
		case cost > maxCost:
			return nil, fmt.Errorf("user %q: the hash has a cost of %d: want %d at most", name, cost, maxCost)
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("user %q: %w", name, err)
		}
		text, ok := f.Roles[name]
		if !ok {
			return nil, fmt.Errorf("user %q has no role: want one under roles, such as '%s: viewer', or 'viewer@TENANT'", name, name)
		}
		grant := people.ParseGrant(text)
		if err := check(grant); err != nil {
			return nil, fmt.Errorf("role of user %q: %w", name, err)
		}
		u.all[name], u.cost = user{hash: []byte(hash), grant: grant}, max(u.cost, cost)
	}
	for name := range f.Roles {
		if _, ok := f.Users[name]; !ok {
			return nil, fmt.Errorf("roles names %q, who is not in basic_auth_users", name)
		}
	}
	return u, u.makeDecoy()
}

func checkName(name string) error {
	if name == "" || len(name) > maxName || strings.ContainsRune(name, ':') || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("want a name of up to %d bytes without colons and control characters", maxName)
	}
	return nil
}

// makeDecoy makes the hash that a name is held against which there is not: nobody knows its
// password.
func (u *Users) makeDecoy() (err error) {
	if u.decoy, err = bcrypt.GenerateFromPassword([]byte(decoyPassword()), u.cost); err != nil {
		return errors.Join(errors.New("make a hash"), err)
	}
	return nil
}
