package enroll

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/model"
)

// Waits after a renewal that failed, and between looks at the clock: a machine that
// sleeps, or whose clock is set, must not miss the moment.
const (
	maxWait = time.Hour
	minWait = time.Second
)

// Member is a host that joined, at work. It is safe for concurrent use.
type Member struct {
	dir string
	log *slog.Logger
	now func() time.Time
	ask *asker
	way *Way
	// host is that in the manager's URL; "" where there is a way.
	host    string
	machine func() model.Machine
	hurry   chan []*x509.Certificate // authorities that were shown: a reason to renew before it is time
	calm    time.Time                // until when there is none; used by Run alone

	mu   sync.Mutex
	id   *Identity
	read os.FileInfo // of the file that was read; another one takes its place, perhaps within a tick of the clock
}

// Open reads the identity of a data directory, for the agent of a host name, whose manager is
// at a URL. Errors wrap ErrNotJoined, ErrExpired or ErrInvalid, or the cause.
func Open(dir, host, manager string, log *slog.Logger) (*Member, error) {
	return open(dir, host, manager, nil, log)
}

// OpenBy is Open for a manager that is found otherwise than by a URL.
func OpenBy(dir, host string, way *Way, log *slog.Logger) (*Member, error) {
	return open(dir, host, "", way, log)
}

func open(dir, host, manager string, way *Way, log *slog.Logger) (*Member, error) {
	m := &Member{dir: dir, log: log, now: time.Now, way: way, hurry: make(chan []*x509.Certificate, 1), machine: func() model.Machine { return model.Machine{} }}
	if err := m.load(); err != nil {
		return nil, err
	}
	if m.id.Name != host {
		return nil, fmt.Errorf("%s is of host %s, and this is %s: %w; join by this name with 'cassini join'", filepath.Join(dir, FileName), m.id.Name, host, ErrNotJoined)
	}
	if err := m.id.expired(m.now()); err != nil {
		return nil, err
	}
	var err error
	m.ask, err = newAsker(manager, way, m.secure)
	if u, errURL := url.Parse(manager); errURL == nil {
		m.host = u.Hostname()
	}
	return m, err
}

// Host is what the manager calls this host: its host name, or where another machine has that,
// the same with a number.
func (m *Member) Host() string { return m.identity().Host }

// Tell has renewals say what machine this is. It is called before Run.
func (m *Member) Tell(machine func() model.Machine) { m.machine = machine }

// TLS is how the agent reaches its manager at the URL that Open was given. It always shows
// the newest certificate, and trusts the authorities that came with it.
func (m *Member) TLS() *tls.Config { return m.secure(m.host) }

// certificate is the newest one, to be shown.
func (m *Member) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if err := m.load(); err != nil {
		return nil, err
	}
	id := m.identity()
	return &id.Cert, id.expired(m.now())
}

// noticed looks at what the manager shows: where its authority is rotated, or that has ended,
// this host gets to know the authorities of now by renewing.
func (m *Member) noticed(id *Identity, certs []*x509.Certificate) {
	if !outdated(id.Authorities, certs[1:]) {
		return
	}
	select {
	case m.hurry <- certs[1:]:
	default: // it is known
	}
}

// outdated says whether authorities are others than those that a manager shows: it shows one
// that is not known yet, or no more one of those that managers make for themselves, though
// another of these. An authority of somebody else's stays until a renewal: a manager need not show it.
func outdated(known, shown []*x509.Certificate) bool {
	shown = slices.DeleteFunc(slices.Clone(shown), func(c *x509.Certificate) bool { return !selfSigned(c) })
	if slices.ContainsFunc(shown, func(c *x509.Certificate) bool { return !slices.ContainsFunc(known, c.Equal) }) {
		return true
	}
	return slices.ContainsFunc(shown, managers) && slices.ContainsFunc(known, func(c *x509.Certificate) bool {
		return managers(c) && !slices.ContainsFunc(shown, c.Equal)
	})
}

func selfSigned(c *x509.Certificate) bool {
	return c.IsCA && bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// managers says whether an authority is one that a manager made for itself.
func managers(c *x509.Certificate) bool {
	return strings.HasPrefix(c.Subject.CommonName, model.AuthorityName)
}

func (m *Member) identity() *Identity {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.id
}

// load reads the file where it changed: 'cassini join' may have run beside us.
func (m *Member) load() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	info, err := os.Stat(filepath.Join(m.dir, FileName))
	if err == nil && m.id != nil && m.read != nil && os.SameFile(info, m.read) && info.ModTime().Equal(m.read.ModTime()) {
		return nil
	}
	id, err := Load(m.dir)
	if err != nil {
		return err
	}
	if m.id != nil && m.id.Host != id.Host {
		return fmt.Errorf("%s is of host %s since 'cassini join' ran, and this agent began as %s: restart it", filepath.Join(m.dir, FileName), id.Host, m.id.Host)
	}
	m.id = id
	m.read = info
	return nil
}

// Run renews the certificate whenever two thirds of its life are over, until the context
// ends. What fails is told and tried again.
func (m *Member) Run(ctx context.Context) error {
	for {
		wait := m.step(ctx)
		select {
		case <-ctx.Done():
			return nil
		case shown := <-m.hurry:
			m.hasten(ctx, shown)
		case <-time.After(wait):
		}
	}
}

// After a renewal for the sake of an authority that told of no other ones, and after one that
// failed, it takes so long until the next may come: a manager that shows what it does not tell must
// not be asked all the time.
const (
	hastenAgain  = 10 * time.Minute
	hastenFailed = 5 * time.Second
)

// hasten renews before it is time, unless that has been done since this was shown.
func (m *Member) hasten(ctx context.Context, shown []*x509.Certificate) {
	now, id := m.now(), m.identity()
	if now.Before(m.calm) || !outdated(id.Authorities, shown) {
		return
	}
	m.calm = now.Add(hastenAgain)
	m.log.Info("the manager's authority is rotated: the certificate of this host is renewed", "host", id.Host)
	if err := m.renew(ctx, id); err != nil && ctx.Err() == nil {
		m.tell(id, err)
		m.calm = now.Add(hastenFailed)
	} else if err == nil && !slices.EqualFunc(id.Authorities, m.identity().Authorities, (*x509.Certificate).Equal) {
		m.calm = time.Time{}
	}
}

// step renews if it is time, and says when to look again.
func (m *Member) step(ctx context.Context) time.Duration {
	if err := m.load(); err != nil {
		m.log.Error("identity of this host", "error", err)
		return maxWait
	}
	id := m.identity()
	leaf := id.Cert.Leaf
	pause := min(max(leaf.NotAfter.Sub(leaf.NotBefore)/30, minWait), maxWait)
	due := id.renewAt().Sub(m.now())
	if due > 0 {
		return min(due, pause)
	}
	if err := id.expired(m.now()); err != nil {
		m.log.Error("nothing can be delivered", "error", err)
		return pause
	}
	if err := m.renew(ctx, id); err != nil && ctx.Err() == nil {
		m.tell(id, err)
		return pause
	}
	return minWait
}

func (m *Member) tell(id *Identity, err error) {
	say := m.log.Warn
	if errors.Is(err, ErrRefused) {
		say = m.log.Error
	}
	say("the certificate of this host could not be renewed; it is tried again", "expires", id.Cert.Leaf.NotAfter, "error", err)
}

// renew gets a certificate for a new key.
func (m *Member) renew(ctx context.Context, old *Identity) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	got, _, err := m.ask.ask(ctx, question{path: "/api/v1/enroll/renew", host: old.Host, machine: m.machine()}, key)
	if err != nil {
		return err
	}
	id := got.identity(key, old.Authorities)
	if err := id.store(m.dir); err != nil {
		return err
	}
	m.log.Info("certificate renewed", "host", id.Host, "expires", got.leaf.NotAfter)
	return m.load()
}
