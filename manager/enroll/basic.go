package enroll

import (
	"errors"
	"fmt"
	"time"

	"cassini/manager/enroll/people"
	"cassini/manager/enroll/users"
)

// ErrBusy says that too many passwords were tried; it is worth trying again later.
var ErrBusy = users.ErrBusy

// parsePeople reads rules, and sees that the roles and tenants in them are some.
func parsePeople(texts []string) (people.Rules, error) {
	list, err := people.Parse(texts)
	if err != nil {
		return nil, fmt.Errorf("--tls-client-role: %w: %w", ErrInvalid, err)
	}
	for n, g := range list.Grants() {
		if g.Tenant == people.TenantPlace && g.Role != string(RoleAdmin) {
			g.Tenant = ""
		}
		if err := checkGrant(g); err != nil {
			return nil, fmt.Errorf("--tls-client-role %s: %w", texts[n], err)
		}
	}
	return list, nil
}

// checkGrant says whether people can have a role and a tenant.
func checkGrant(g people.Grant) error {
	role := Role(g.Role)
	if err := role.check(); err != nil {
		return err
	}
	switch {
	case role == RoleAgent:
		return fmt.Errorf("role agent: %w: it is not for people; want viewer, operator or admin", ErrInvalid)
	case role == RoleAdmin && g.Tenant != "":
		return fmt.Errorf("admin of a tenant: %w: admins are of the whole estate; want viewer or operator", ErrInvalid)
	}
	return checkTenant(g.Tenant)
}

// readUsers reads who has a password. Those that were verified are verified anew.
func (o *outside) readUsers(path string) (err error) {
	if path == "" {
		return nil
	}
	if o.users, err = users.Read(path, checkGrant); err != nil {
		return fmt.Errorf("--users-file: %w: %w", ErrInvalid, err)
	}
	return nil
}

// Passwords says whether there is anybody with a password.
func (a *Authority) Passwords() bool { return a.trust.Load().outside.users != nil }

// User says who gives a name and a password; from is the address that asks. Errors wrap
// ErrUnknown or ErrBusy; with one, Who has the name of a user that there is, who has proved
// nothing.
func (a *Authority) User(name, password, from string, now time.Time) (Who, error) {
	list := a.trust.Load().outside.users
	if list == nil {
		return Who{}, fmt.Errorf("password: %w: nobody has one here; show a token or a certificate (--users-file names users)", ErrUnknown)
	}
	grant, err := list.Check(a.tries, name, password, from, now)
	switch {
	case errors.Is(err, users.ErrWrong):
		who := Who{}
		if list.Has(name) {
			who.User = name
		}
		return who, fmt.Errorf("%w: %w", ErrUnknown, err)
	case err != nil:
		return Who{}, err
	}
	return Who{Role: Role(grant.Role), Tenant: grant.Tenant, User: name}, nil
}
