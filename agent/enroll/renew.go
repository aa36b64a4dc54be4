package enroll

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
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

	mu   sync.Mutex
	id   *Identity
	read time.Time // when the file was written that was read
}

// Open reads the identity of a data directory, for the agent of host, whose manager is
// at a URL. Errors wrap ErrNotJoined, ErrExpired or ErrInvalid, or the cause.
func Open(dir, host, manager string, log *slog.Logger) (*Member, error) {
	return open(dir, host, manager, nil, log)
}

// OpenBy is Open for a manager that is found otherwise than by a URL.
func OpenBy(dir, host string, way *Way, log *slog.Logger) (*Member, error) {
	return open(dir, host, "", way, log)
}

func open(dir, host, manager string, way *Way, log *slog.Logger) (*Member, error) {
	m := &Member{dir: dir, log: log, now: time.Now, way: way}
	if err := m.load(); err != nil {
		return nil, err
	}
	if m.id.Host != host {
		return nil, fmt.Errorf("%s is of host %s, and this is %s: %w; join by this name with 'cassini join'", filepath.Join(dir, FileName), m.id.Host, host, ErrNotJoined)
	}
	if err := m.id.expired(m.now()); err != nil {
		return nil, err
	}
	var err error
	m.ask, err = newAsker(manager, way, m.secure)
	return m, err
}

// TLS is how the agent reaches its manager. It always shows the newest certificate.
func (m *Member) TLS() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(m.identity().Authority)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if err := m.load(); err != nil {
				return nil, err
			}
			id := m.identity()
			return &id.Cert, id.expired(m.now())
		},
	}
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
	if err == nil && m.id != nil && info.ModTime().Equal(m.read) {
		return nil
	}
	id, err := Load(m.dir)
	if err != nil {
		return err
	}
	m.id = id
	if info != nil {
		m.read = info.ModTime()
	}
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
		case <-time.After(wait):
		}
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
	leaf, _, err := m.ask.ask(ctx, "/api/v1/enroll/renew", old.Host, "", key)
	if err != nil {
		return err
	}
	id := &Identity{Host: old.Host, Authority: old.Authority, Cert: tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}}
	if err := id.store(m.dir); err != nil {
		return err
	}
	m.log.Info("certificate renewed", "host", id.Host, "expires", leaf.NotAfter)
	return m.load()
}
