package enroll

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxShown bounds the certificates that are remembered as verified.
const maxShown = 200_000

// verified remembers which certificates were verified, with what is trusted at the moment.
type verified struct {
	mu   sync.Mutex
	of   *trust
	pool *x509.CertPool
	good map[[sha256.Size]byte]struct{}
}

// Shown says whose certificates these are that somebody has shown, the first one's own:
// TLS has seen that he has its key, and nothing else. Errors wrap ErrForbidden, ErrExpired,
// ErrRevoked or ErrUnknown.
func (a *Authority) Shown(certs []*x509.Certificate, now time.Time) (Who, error) {
	if len(certs) == 0 {
		return Who{}, fmt.Errorf("certificate: %w: there is none", ErrUnknown)
	}
	if err := a.verify(certs, now); err != nil {
		return Who{}, err
	}
	return a.whose(certs[0], now)
}

// verify holds a certificate against the authorities that count.
func (a *Authority) verify(certs []*x509.Certificate, now time.Time) error {
	cert := certs[0]
	if now.After(cert.NotAfter) {
		return fmt.Errorf("certificate %s of %s: %w at %s; %s", serialOf(cert), subjectOf(cert), ErrExpired, stamp(cert.NotAfter), another(cert))
	}
	t, key := a.trust.Load(), sha256.Sum256(cert.Raw)
	if _, err := HostOf(cert); err == nil && t.ownBy(cert.AuthorityKeyId) != nil {
		now = later(now, cert.NotBefore) // its host's record says that it counts: the clock here may have been ahead
	}
	if now.Before(cert.NotBefore) {
		return fmt.Errorf("certificate %s of %s: %w: it is not yet valid, only from %s on; does a clock go wrong?", serialOf(cert), subjectOf(cert), ErrForbidden, stamp(cert.NotBefore))
	}
	pool, good := a.shown.find(t, key)
	if good {
		return nil
	}
	options := x509.VerifyOptions{Roots: pool, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, c := range certs[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := cert.Verify(options); err != nil {
		return fmt.Errorf("certificate %s of %s: %w", serialOf(cert), subjectOf(cert), t.wrong(cert, err))
	}
	if len(certs) == 1 { // others could be changed, and these not
		a.shown.add(t, key)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// wrong says what is wrong with a certificate that could not be verified.
func (t *trust) wrong(cert *x509.Certificate, err error) error {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	}
	if t.ownBy(cert.AuthorityKeyId) != nil {
		return fmt.Errorf("%w: it is forged: it names this manager's authority, which did not sign it", ErrForbidden)
	}
	return fmt.Errorf("%w: %q signed it, which does not count here; if the authority of this manager was replaced since, %s", ErrUnknown, cert.Issuer.String(), another(cert))
}

// another says how to get another certificate.
func another(cert *x509.Certificate) string {
	if _, err := HostOf(cert); err == nil {
		return "run 'cassini join' there with a new token"
	}
	if clientOf(cert) != "" {
		return "ask an admin for another ('cassini token create --certificate FILE')"
	}
	return "renew it where it was given"
}

func subjectOf(cert *x509.Certificate) string {
	if host, err := HostOf(cert); err == nil {
		return "host " + host
	}
	return fmt.Sprintf("%.100q", cert.Subject.String())
}

// find is the pool of what is trusted, and whether a certificate was verified with it.
func (s *verified) find(t *trust, key [sha256.Size]byte) (pool *x509.CertPool, good bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != t {
		s.of, s.pool, s.good = t, t.clients(), make(map[[sha256.Size]byte]struct{})
	}
	_, good = s.good[key]
	return s.pool, good
}

func (s *verified) add(t *trust, key [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != t {
		return
	}
	if len(s.good) >= maxShown {
		clear(s.good)
	}
	s.good[key] = struct{}{}
}
