package enroll

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// JoinRequest is what a host sends to join; to renew, it sends no Host.
type JoinRequest struct {
	Host    string `json:"host,omitempty"`
	Request string `json:"request"` // certificate request, in PEM
	// Machine tells it from others of its name. Older agents do not say it.
	Machine *model.Machine `json:"machine,omitempty"`
	// Keeps says that who asks keeps the authorities of the answer, and not only its first
	// one: it is told in a header, since older managers do not know it.
	Keeps bool `json:"-"`
}

// parse is the certificate request in it. Errors wrap ErrInvalid.
func (j JoinRequest) parse() (*x509.CertificateRequest, error) {
	if err := CheckMachine(j.Machine); err != nil {
		return nil, err
	}
	return parseRequest(j.Request)
}

// Joined is what it gets.
type Joined struct {
	// Host is what it is called: its host name, or where another machine has that, as
	// model.Namesake has it.
	Host        string    `json:"host"`
	Certificate string    `json:"certificate"` // in PEM
	Expires     time.Time `json:"expires"`
	// Authorities are those by which the host knows the manager from now on, in PEM.
	Authorities string `json:"authorities"`
}

// Join lets a host in by a token. Who asks again with the same key and token gets
// another certificate: the first answer may have been lost. Errors wrap ErrUnknown,
// ErrExpired, ErrRevoked, ErrUsedUp, ErrForbidden, ErrTaken, ErrInvalid or ErrFull.
func (a *Authority) Join(text string, j JoinRequest, now time.Time) (*Joined, error) {
	t, err := a.token(text, now)
	if err != nil {
		return nil, err
	}
	if err := CheckHost(j.Host); err != nil {
		return nil, err
	}
	request, err := j.parse()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyHash(request.RawSubjectPublicKeyInfo)
	t = a.tokens[t.ID] // as it is under the lock
	id := a.seat(t, j, key)
	r := a.hosts[id]
	from := r.Tenant
	if !r.again(t.ID, key) {
		if err := a.mayJoin(t, r, id, now); err != nil {
			return nil, err
		}
		t.Uses++
		r = Record{Host: id, Name: otherName(id, j.Host), Machine: r.remember(j.Machine), Label: t.Label, Labels: t.Labels, Tenant: t.Tenant, Token: t.ID, Joined: wall(now), Barred: r.Barred, Shut: r.Shut}
	}
	joined, err := a.issue(change{tokens: []Token{t}}, r, request, j.Keeps, now)
	if err != nil {
		return nil, err
	}
	a.cfg.Logger.Info("host joined", "host", id, "tenant", r.Tenant, "token", t.ID, "expires", joined.Expires)
	if r.Name != "" {
		a.cfg.Logger.Warn("another machine has the name of a host that joined: it is told from that one by a number", "name", r.Name, "host", id)
	}
	if from != r.Tenant && a.cfg.Moved != nil {
		a.cfg.Moved(id)
	}
	return joined, nil
}

func (a *Authority) mayJoin(t Token, r Record, host string, now time.Time) error {
	if !t.Revoked.IsZero() {
		return fmt.Errorf("token %s: %w at %s", t.ID, ErrRevoked, stamp(t.Revoked))
	}
	if err := t.joins(host); err != nil {
		return err
	}
	if r.Host == "" {
		if len(a.hosts) >= maxHosts {
			return fmt.Errorf("join: %w: %d hosts have joined", ErrFull, maxHosts)
		}
		return nil
	}
	if err := r.moves(t); err != nil {
		return err
	}
	return r.mayJoin(t, now)
}

// issue signs, and writes the record with the new certificate last. The lock is held.
func (a *Authority) issue(c change, r Record, request *x509.CertificateRequest, keeps bool, now time.Time) (*Joined, error) {
	t := a.trust.Load()
	signer := t.signer()
	cert, err := signer.signAgent(r, request, now, a.cfg.Life)
	if err != nil {
		return nil, err
	}
	if len(r.Certificates) > 1 {
		r.Certificates = r.Certificates[len(r.Certificates)-1:]
	}
	r.Certificates = append(slices.Clone(r.Certificates), Issued{Serial: serialOf(cert), Key: keyHash(request.RawSubjectPublicKeyInfo), Expires: cert.NotAfter, Root: signer.rootID(), Told: keeps})
	c.hosts = append(c.hosts, r)
	if err := a.store(c); err != nil {
		return nil, err
	}
	return &Joined{Host: r.Host, Certificate: string(encode(blockCert, cert.Raw)), Expires: cert.NotAfter, Authorities: string(pems(t.anchors()))}, nil
}

// Renew gives an agent its next certificate. The one that it shows counts until it ends,
// or until the next one is renewed: an answer may be lost on the way. Errors wrap
// ErrForbidden, ErrRevoked or ErrInvalid.
func (a *Authority) Renew(shown *x509.Certificate, j JoinRequest, now time.Time) (*Joined, error) {
	who, err := a.whose(shown, now)
	if err != nil {
		return nil, err
	}
	if who.Role != RoleAgent {
		return nil, fmt.Errorf("renew a certificate: %w: it is of a %s; %s", ErrForbidden, who.Role, another(shown))
	}
	request, err := j.parse()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.hosts[who.Host]
	at := r.find(serialOf(shown))
	if at < 0 {
		return nil, fmt.Errorf("renew the certificate of %s: %w: another authority gave it; renew it there", who.Host, ErrForbidden)
	}
	if err := r.speaks(shown); err != nil { // since it was looked at
		return nil, err
	}
	r.Certificates, r.Renewed, r.Machine = []Issued{r.Certificates[at]}, wall(now), r.remember(j.Machine)
	return a.issue(change{}, r, request, j.Keeps, now)
}

// Revoke shuts a host out: none of its certificates counts any more, or with a serial not
// that one. Machines that got their names by what is revoked are shut out as well: whoever
// stole a key may be one of them. They are returned. Errors wrap ErrUnknown.
func (a *Authority) Revoke(host, serial string, now time.Time) (copies []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.hosts[host]
	switch {
	case !ok:
		return nil, fmt.Errorf("host %q: %w: it did not join; 'cassini agents' lists those that did", host, ErrUnknown)
	case serial == "":
		r = r.revoked(now)
	case r.find(serial) < 0:
		return nil, fmt.Errorf("certificate %q of host %s: %w: it counts no more, or never did", serial, host, ErrUnknown)
	default:
		r.Certificates = slices.DeleteFunc(slices.Clone(r.Certificates), func(i Issued) bool { return i.Serial == serial })
		r.Shut = append(slices.Clone(r.Shut[max(0, len(r.Shut)-maxShut+1):]), serial)
	}
	c := change{hosts: []Record{r}}
	for _, of := range a.copiesOf(host, serial) {
		c.hosts, copies = append(c.hosts, of.revoked(now)), append(copies, of.Host)
	}
	a.cfg.Logger.Warn("certificates revoked", "host", host, "serial", serial, "copies", copies)
	return copies, a.store(c)
}

// revoked is a record of a host that is shut out.
func (r Record) revoked(now time.Time) Record {
	r.Revoked, r.Barred, r.Certificates, r.Outside = wall(now), wall(now), []Issued{}, ""
	return r
}

// Hosts lists the hosts that joined, by name.
func (a *Authority) Hosts() []Record {
	a.mu.RLock()
	defer a.mu.RUnlock()
	list := make([]Record, 0, len(a.hosts))
	for _, r := range a.hosts {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Record) int { return strings.Compare(a.Host, b.Host) })
	return list
}
