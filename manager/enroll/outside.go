package enroll

import (
	"crypto/x509"
	"fmt"
	"time"

	"cassini/manager/enroll/identify"
	"cassini/manager/enroll/people"
)

// outsideToken stands in records of hosts that never joined by a token.
const outsideToken = "outside"

// outsider says whose certificate this is that another authority gave, which counts.
func (a *Authority) outsider(t *trust, cert *x509.Certificate, now time.Time) (Who, error) {
	if err := t.outside.lists.check(cert, now); err != nil {
		return Who{}, err
	}
	id := identify.Identity{}
	host, err := HostOf(cert)
	person, errPerson := t.outside.people.Of(cert)
	if err != nil {
		id, err = t.outside.ids.Of(cert)
		if errPerson == nil {
			return a.person(cert, person, err)
		}
		if err != nil && len(t.outside.people) > 0 {
			return Who{}, fmt.Errorf("certificate %s: %w: it is of an agent by no rule (%w), and of a person by none: %w", serialOf(cert), ErrForbidden, err, errPerson)
		}
		if err != nil {
			return Who{}, fmt.Errorf("certificate %s: %w: %w; want one URI cassini://agent/HOST in it, or one that --tls-client-id has", serialOf(cert), ErrForbidden, err)
		}
		host = id.Host
		if err := CheckHost(host); err != nil {
			return Who{}, fmt.Errorf("certificate %s: %w: %w", serialOf(cert), ErrForbidden, err)
		}
	}
	if now.After(cert.NotAfter) {
		return Who{}, fmt.Errorf("the certificate of host %s: %w at %s; renew it where it was given", host, ErrExpired, stamp(cert.NotAfter))
	}
	a.mu.RLock()
	r := a.hosts[host]
	a.mu.RUnlock()
	r.Host = host
	if err := r.speaksOutside(cert); err != nil {
		return Who{}, err
	}
	if id.ID != "" && r.Outside != id.ID {
		if err := a.register(id, now); err != nil {
			return Who{}, err
		}
	}
	return Who{Role: RoleAgent, Host: host, Outside: true}, nil
}

// person is who shows a certificate that a rule of people takes. One that a rule of agents
// takes as well is refused: what is meant cannot be told.
func (a *Authority) person(cert *x509.Certificate, p people.Person, noAgent error) (Who, error) {
	if noAgent == nil {
		return Who{}, fmt.Errorf("certificate %s: %w: %s is that of an agent by --tls-client-id and of a %s by --tls-client-role: make the rules narrower", serialOf(cert), ErrForbidden, p.Name, p.Role)
	}
	if err := checkTenant(p.Tenant); err != nil {
		return Who{}, fmt.Errorf("certificate %s: %w: %w", serialOf(cert), ErrForbidden, err)
	}
	return Who{Role: Role(p.Role), Tenant: p.Tenant, Certificate: p.Name}, nil
}

// register gives a host's name to who shows an identity for it first: another identity that
// stands for the same name is refused from then on, and who joined by it as well.
func (a *Authority) register(id identify.Identity, now time.Time) error {
	if err := checkTenant(id.Tenant); err != nil {
		return fmt.Errorf("identity %s: %w: %w", id.ID, ErrForbidden, err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.hosts[id.Host]
	switch {
	case r.Outside == id.ID:
		return nil // somebody was faster
	case r.Host != "" && id.Places && r.Tenant != id.Tenant: // whose it is, the other may not know
		return fmt.Errorf("%s claims the name of host %s, which is not of tenant %s: %w", id.ID, id.Host, id.Tenant, ErrForbidden)
	case r.Outside != "":
		return fmt.Errorf("%s claims the name of host %s, which is %s: %w; if it is to have it, revoke the host first ('cassini agents revoke %s')", id.ID, id.Host, r.Outside, ErrForbidden, id.Host)
	case r.live(now):
		return fmt.Errorf("%s claims the name of host %s, which joined by a token: %w; if it is to have it, revoke the host first ('cassini agents revoke %s')", id.ID, id.Host, ErrForbidden, id.Host)
	case r.Host == "" && len(a.hosts) >= maxHosts:
		return fmt.Errorf("take %s in: %w: %d hosts have joined", id.ID, ErrFull, maxHosts)
	case r.Host == "":
		r = Record{Host: id.Host, Tenant: id.Tenant, Token: outsideToken, Joined: wall(now), Certificates: []Issued{}}
		if id.Tenant != "" && a.cfg.Moved != nil {
			defer a.cfg.Moved(id.Host)
		}
	}
	r.Outside, r.Revoked = id.ID, time.Time{} // it was given after it was revoked
	a.cfg.Logger.Info("a host of another authority is known from now on", "host", id.Host, "identity", id.ID, "tenant", r.Tenant)
	return a.store(change{hosts: []Record{r}})
}
