package enroll

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

const maxHosts = 100_000

// Record is what is kept of a host that joined.
type Record struct {
	Host    string            `json:"host"`
	Name    string            `json:"name,omitempty"`    // its host name, where it is called otherwise since another machine has that
	Machine *model.Machine    `json:"machine,omitempty"` // what it said of itself when it joined, or later
	Label   string            `json:"label,omitempty"`   // of the token by which it joined
	Labels  map[string]string `json:"labels,omitempty"`  // likewise
	Tenant  string            `json:"tenant,omitempty"`  // whose it is, by that token; "" is nobody's in particular
	Token   string            `json:"token"`             // its identifier
	Joined  time.Time         `json:"joined"`
	Renewed time.Time         `json:"renewed,omitzero"`
	Revoked time.Time         `json:"revoked,omitzero"` // zero: it is not
	// Outside is the identity by which another authority's certificates are of this host:
	// a SPIFFE ID, or a DNS name; "" where none was shown, or they name the host itself.
	Outside string `json:"outside,omitempty"`
	// Barred is when the host was last revoked, also if it joined since: what another
	// authority gave it before counts no more.
	Barred time.Time `json:"barred,omitzero"`
	// Certificates that count, the newest last: that which the agent has, and perhaps
	// one more, whose answer may have been lost on the way.
	Certificates []Issued `json:"certificates"`
	// Root is the newest authority of the manager that the host has shown to know.
	Root string `json:"root,omitempty"`
	// CopyOf is by whose certificate it got its name, where it did not join by a token.
	CopyOf *Origin `json:"copy_of,omitempty"`
	// Shut are serials that were revoked one by one, the last few: a restored manager would
	// take them for forgotten ones else.
	Shut []string `json:"shut,omitempty"`
}

// maxShut bounds Record.Shut.
const maxShut = 32

// Issued is one certificate.
type Issued struct {
	Serial  string    `json:"serial"`
	Key     string    `json:"key"` // SHA-256 of the public key
	Expires time.Time `json:"expires"`
	// Root is the authority that gave it; "" is the first that this manager had. Told says
	// that with it went all authorities that count, to an agent that keeps them.
	Root string `json:"root,omitempty"`
	Told bool   `json:"told,omitempty"`
}

// name is the host name of the machine.
func (r Record) name() string {
	if r.Name != "" {
		return r.Name
	}
	return r.Host
}

// otherName is what a Record has as its Name.
func otherName(id, name string) string {
	if id == name {
		return ""
	}
	return name
}

// live says whether a certificate of the host counts at a moment.
func (r Record) live(now time.Time) bool {
	return slices.ContainsFunc(r.Certificates, func(i Issued) bool { return now.Before(i.Expires) })
}

// find is where a certificate that counts stands, or -1.
func (r Record) find(serial string) int {
	return slices.IndexFunc(r.Certificates, func(i Issued) bool { return i.Serial == serial })
}

// has says whether a certificate counts. Its key is compared as well, so that the key of
// the authority alone makes nobody an agent.
func (r Record) has(cert *x509.Certificate) bool {
	at := r.find(serialOf(cert))
	return at >= 0 && r.Certificates[at].Key == keyHash(cert.RawSubjectPublicKeyInfo)
}

// knows says that who shows a certificate knows the authority that gave it.
func (r Record) knows(cert *x509.Certificate, rootID string) bool {
	at := r.find(serialOf(cert))
	return at >= 0 && r.Certificates[at].Told && r.Certificates[at].Root == rootID
}

// again says that the same key asks once more by the same token: an answer was lost.
func (r Record) again(token, key string) bool {
	return r.Token == token && r.Revoked.IsZero() && r.hasKey(key)
}

// mayJoin says whether a host that is known may join anew by a token. Without this, who
// holds a token could take the name of a host that is there.
func (r Record) mayJoin(t Token, now time.Time) error {
	switch {
	case !r.Revoked.IsZero() && !t.Created.After(r.Revoked):
		return fmt.Errorf("host %s: %w at %s: only a token that was made after that lets it in again", r.Host, ErrRevoked, stamp(r.Revoked))
	case r.Outside != "" && t.Host == "":
		return fmt.Errorf("host %s: %w of another authority, as %s: if it is to have one of this, use a token for this host alone ('cassini token create --role agent --host %s')", r.Host, ErrTaken, r.Outside, r.Host)
	case r.Revoked.IsZero() && t.Host == "" && r.live(now):
		return fmt.Errorf("host %s: %w: if it lost it, use a token for this host alone ('cassini token create --role agent --host %s'), or revoke it first", r.Host, ErrTaken, r.Host)
	}
	return nil
}

// speaks says whether a certificate that the authority signed counts.
func (r Record) speaks(cert *x509.Certificate) error {
	switch {
	case !r.Revoked.IsZero():
		return fmt.Errorf("the certificate of host %s was %w at %s; if it shall be let in again, make it a token ('cassini token create --role agent --host %s') and run 'cassini join' there", r.Host, ErrRevoked, stamp(r.Revoked), r.Host)
	case !r.has(cert):
		return fmt.Errorf("certificate %s of host %s: %w: it was revoked, or another took its place; run 'cassini join' there with a new token", serialOf(cert), r.Host, ErrRevoked)
	}
	return nil
}

// speaksOutside says whether a certificate that another authority signed counts.
func (r Record) speaksOutside(cert *x509.Certificate) error {
	if r.Barred.IsZero() || cert.NotBefore.After(r.Barred) {
		return nil
	}
	return fmt.Errorf("the certificate of host %s was %w at %s; give it a new one there", r.Host, ErrRevoked, stamp(r.Barred))
}

// hostForm is what is taken as a host name: it stands in a URI, in logs and on screens.
var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?$`)

// CheckHost says what is wrong with a host name. Errors wrap ErrInvalid.
func CheckHost(host string) error {
	if hostForm.MatchString(host) && !strings.Contains(host, "..") {
		return nil
	}
	return fmt.Errorf("host name %q: %w: want letters, digits, dots and hyphens", host, ErrInvalid)
}

// checkID takes what CheckHost does, and what machines are called whose name another has.
func checkID(id string) error {
	if name, n := model.CutNamesake(id); n > 1 && CheckHost(name) == nil {
		return nil
	}
	return CheckHost(id)
}

// agentURI is the identity of an agent in its certificate.
func agentURI(host string) *url.URL {
	return &url.URL{Scheme: "cassini", Host: "agent", Path: "/" + host}
}

// HostOf is whose agent a certificate is of: the one URI cassini://agent/HOST in it.
func HostOf(cert *x509.Certificate) (string, error) {
	if len(cert.URIs) == 1 {
		host := strings.TrimPrefix(cert.URIs[0].Path, "/")
		if checkID(host) == nil && *cert.URIs[0] == *agentURI(host) {
			return host, nil
		}
	}
	return "", fmt.Errorf("certificate %s: %w: it is not of an agent; want one URI cassini://agent/HOST in it", serialOf(cert), ErrForbidden)
}

func serialOf(cert *x509.Certificate) string { return cert.SerialNumber.Text(16) }

func keyHash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
