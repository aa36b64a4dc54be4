package enroll

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/claim"
)

// A machine that was cloned with its agent's data directory shows the certificate of another
// one. It is not let in as that one; it gets a name that nobody has, for a key of its own. All
// that it has proved is that it holds a copy of the other one's key. So it gets nothing beyond
// what that key is good for: its tenant and labels, no name that is known, and it is shut out
// with the host whose key it came by.

// maxCopies bounds how many machines get names by the certificate of one host.
const maxCopies = 100

// Origin is by whose certificate a host got its name.
type Origin struct {
	Host   string `json:"host"`
	Serial string `json:"serial"`
}

// originIn is by whose certificate the host of a certificate got its name; nil for most. It counts
// only where the record is lost.
func originIn(cert *x509.Certificate) *Origin {
	of := cert.Subject.Organization
	if len(of) != 1 || checkID(of[0]) != nil {
		return nil
	}
	return &Origin{of[0], cert.Subject.SerialNumber}
}

// Copy gives a machine that came with a copy of a host's certificate, which it shows, a name
// and a certificate of its own. Who asks again with the same key gets another certificate: the
// first answer may have been lost. Errors wrap ErrForbidden, ErrRevoked, ErrExpired, ErrTaken,
// ErrInvalid or ErrFull.
func (a *Authority) Copy(shown *x509.Certificate, j JoinRequest, now time.Time) (*Joined, error) {
	who, err := a.whose(shown, now)
	if err != nil {
		return nil, err
	}
	request, err := j.parse()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.hosts[who.Host]
	if who.Role != RoleAgent || of.find(serialOf(shown)) < 0 {
		return nil, fmt.Errorf("name a copy of %s: %w: another authority gave its certificate, and names hosts; give this machine one of its own there", who, ErrForbidden)
	}
	if err := of.speaks(shown); err != nil { // since it was looked at
		return nil, err
	}
	key := keyHash(request.RawSubjectPublicKeyInfo)
	id, err := a.copySeat(of, j, key)
	if err != nil {
		return nil, err
	}
	r, again := a.hosts[id]
	if !again {
		r = Record{Host: id, Name: of.name(), Machine: j.Machine, Label: of.Label, Labels: of.Labels, Tenant: of.Tenant, Token: of.Token, Joined: wall(now), CopyOf: &Origin{of.Host, serialOf(shown)}}
	}
	joined, err := a.issue(change{}, r, request, j.Keeps, now)
	if err != nil {
		return nil, err
	}
	a.cfg.Logger.Warn("another machine runs with a copy of a host's data directory: it gets a name of its own", "copy_of", of.Host, "host", id, "tenant", r.Tenant, "expires", joined.Expires)
	if !again && r.Tenant != "" && a.cfg.Moved != nil {
		a.cfg.Moved(id)
	}
	return joined, nil
}

// copySeat is the name of a machine that came with a copy. The lock is held.
func (a *Authority) copySeat(of Record, j JoinRequest, key string) (string, error) {
	ids, copies := a.names[of.name()], 0
	for _, id := range ids {
		r := a.hosts[id]
		mine := r.CopyOf != nil && r.CopyOf.Host == of.Host
		if mine {
			copies++
		}
		if id == of.Host {
			continue
		}
		switch is := a.claims(id, j); {
		case mine && r.Revoked.IsZero() && is != claim.Another && r.hasKey(key):
			return id, nil
		case is == claim.Itself:
			return "", fmt.Errorf("host %s: %w, by this machine as it tells of itself: to have it again it needs a token for it ('cassini token create --role agent --host %s') and 'cassini join'", id, ErrTaken, id)
		}
	}
	if copies >= maxCopies {
		return "", fmt.Errorf("name a copy of %s: %w: %d machines have got names by its certificate; make the image without the agent's data directory, and let them join by tokens", of.Host, ErrFull, copies)
	}
	if len(a.hosts) >= maxHosts {
		return "", fmt.Errorf("name a copy of %s: %w: %d hosts have joined", of.Host, ErrFull, maxHosts)
	}
	return a.freeName(of.name(), ids), nil
}

// hasKey says whether one of its certificates is for a key.
func (r Record) hasKey(key string) bool {
	return slices.ContainsFunc(r.Certificates, func(i Issued) bool { return i.Key == key })
}

// copiesOf are the hosts that got their names by the certificate of one, or with a serial by
// that certificate, and by theirs in turn. The lock is held.
func (a *Authority) copiesOf(host, serial string) (list []Record) {
	for _, r := range a.copiesBy(host) {
		if r.Revoked.IsZero() && (serial == "" || r.CopyOf.Serial == serial) {
			list = append(list, r)
		}
	}
	for at := 0; at < len(list); at++ { // it grows
		for _, r := range a.copiesBy(list[at].Host) {
			// Of records that were lost a name may have been given again, which makes a ring of them.
			if r.Revoked.IsZero() && r.Host != host && !slices.ContainsFunc(list, func(has Record) bool { return has.Host == r.Host }) {
				list = append(list, r)
			}
		}
	}
	return list
}

// copiesBy are the hosts that got their names by the certificates of one. The lock is held.
func (a *Authority) copiesBy(host string) (list []Record) {
	for _, id := range a.names[a.nameOf(host)] {
		if r := a.hosts[id]; r.CopyOf != nil && r.CopyOf.Host == host {
			list = append(list, r)
		}
	}
	return list
}

// without are the records of the copies of a host as they are once it is forgotten: its name may
// be another machine's then, even a copy's of one of them. They count as copies of that by whose
// certificate it got its own name. The lock is held.
func (a *Authority) without(host string) (list []Record) {
	for _, r := range a.copiesBy(host) {
		r.CopyOf = a.hosts[host].CopyOf
		list = append(list, r)
	}
	return list
}

// Machine is what is known of the machine of a host that joined.
func (a *Authority) Machine(host string) (m model.Machine) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if of := a.hosts[host].Machine; of != nil {
		m = *of
	}
	return m
}

// Remember notes what the machine of a host says of itself, which was found to be that machine.
func (a *Authority) Remember(host string, m model.Machine) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.hosts[host]
	if !ok || r.Machine != nil && r.Machine.Equal(m) {
		return nil
	}
	r.Machine = r.remember(&m)
	return a.store(change{hosts: []Record{r}})
}
