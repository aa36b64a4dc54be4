package enroll

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"
)

// trust is whom the authority trusts, and what it signs with. It never changes: another
// takes its place.
type trust struct {
	ca *ca // in use: it signs the manager's own certificate
	// During a rotation: the one that comes, which signs certificates of agents; and the
	// key of ca as that one vouches for it, so that who knows it alone trusts the manager too.
	next  *ca
	cross *x509.Certificate
	plan  rotation

	outside *outside // never nil
}

// rotation is what is remembered of one that is under way.
type rotation struct {
	Began time.Time `json:"began"`
	Until time.Time `json:"until"` // then the old authority is retired, whoever still needs it
}

// signer signs certificates of agents.
func (t *trust) signer() *ca {
	if t.next != nil {
		return t.next
	}
	return t.ca
}

// own are the authorities of this manager that count.
func (t *trust) own() []*ca {
	if t.next != nil {
		return []*ca{t.ca, t.next}
	}
	return []*ca{t.ca}
}

// ownBy finds the authority of this manager that has a key; nil for those of others.
func (t *trust) ownBy(keyID []byte) *ca {
	for _, c := range t.own() {
		if bytes.Equal(c.cert.SubjectKeyId, keyID) {
			return c
		}
	}
	return nil
}

// clients are who may have signed certificates of agents.
func (t *trust) clients() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range t.own() {
		pool.AddCert(c.cert)
	}
	for _, c := range t.outside.clients {
		pool.AddCert(c)
	}
	return pool
}

// chain is what the manager shows behind its own certificate. During a rotation those who
// know one of the two authorities find their way in it.
func (t *trust) chain() [][]byte {
	if t.next == nil {
		return [][]byte{t.ca.cert.Raw}
	}
	return [][]byte{t.ca.cert.Raw, t.cross.Raw, t.next.cert.Raw}
}

// anchors are the authorities by which agents know the manager from now on.
func (t *trust) anchors() (list []*x509.Certificate) {
	if cert := t.outside.cert; cert != nil {
		if last, err := x509.ParseCertificate(cert.Certificate[len(cert.Certificate)-1]); err == nil {
			list = append(list, last)
		}
	}
	for _, c := range t.own() {
		list = append(list, c.cert)
	}
	return list
}

// pin is the hash by which a token tells the manager.
func (t *trust) pin() string {
	raw := t.signer().cert.Raw
	if cert := t.outside.cert; cert != nil {
		raw = cert.Certificate[len(cert.Certificate)-1]
	}
	return pinOf(raw)
}

func pinOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// rootID names an authority of this manager in records.
func (c *ca) rootID() string { return hex.EncodeToString(c.cert.SubjectKeyId) }

// counts says whether certificates of an authority count, of the manager's own.
func (t *trust) counts(rootID string) bool {
	return slices.ContainsFunc(t.own(), func(c *ca) bool { return c.rootID() == rootID })
}

// pems are certificates in PEM.
func pems(certs []*x509.Certificate) (text []byte) {
	for _, c := range certs {
		text = append(text, encode(blockCert, c.Raw)...)
	}
	return text
}
