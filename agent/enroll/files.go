package enroll

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"sync"
	"time"
)

// FileConfig is what OpenFiles needs.
type FileConfig struct {
	// Cert, Key and CA are files in PEM that somebody else renews: the certificate of this
	// host with those that signed it, its key, and the authorities of the manager's certificate.
	Cert, Key, CA string
	// ManagerID is the URI that the manager's certificate has to have, such as its SPIFFE
	// ID, instead of being for the name or address at which it is reached; "" is the latter.
	ManagerID string
	Manager   string // URL
	Way       *Way   // to the manager, instead of its URL
	Logger    *slog.Logger
}

// FileMember is a host whose certificate another authority gives. It is safe for concurrent
// use.
type FileMember struct {
	cfg  FileConfig
	host string
	now  func() time.Time

	mu     sync.Mutex
	held   credentials
	stamps [3]fileStamp // of the files when they were looked at last
}

// credentials are what the files hold.
type credentials struct {
	cert  *tls.Certificate
	roots []*x509.Certificate
}

// fileStamp tells whether a file was written since.
type fileStamp struct {
	size     int64
	modified time.Time
}

// OpenFiles reads the files. Errors wrap ErrInvalid or ErrExpired, or the cause.
func OpenFiles(cfg FileConfig) (*FileMember, error) {
	f := &FileMember{cfg: cfg, now: time.Now}
	if cfg.Way == nil {
		u, err := url.Parse(cfg.Manager)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("manager %q: %w: want a URL such as https://manager.example:1984", cfg.Manager, ErrInvalid)
		}
		f.host = u.Hostname()
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, f.expired()
}

// load reads the files where they changed. While they cannot be read, or do not go
// together, what they held before stays.
func (f *FileMember) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stamps [3]fileStamp
	for n, path := range []string{f.cfg.Cert, f.cfg.Key, f.cfg.CA} {
		if info, err := os.Stat(path); err == nil {
			stamps[n] = fileStamp{info.Size(), info.ModTime()}
		}
	}
	if stamps == f.stamps {
		return nil
	}
	held, err := f.cfg.read()
	if err != nil {
		return err
	}
	if f.held.cert != nil {
		f.cfg.Logger.Info("the certificate of this host was renewed", "expires", held.cert.Leaf.NotAfter)
	}
	f.held, f.stamps = held, stamps
	return nil
}

func (c FileConfig) read() (held credentials, err error) {
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return held, fmt.Errorf("read the certificate of this host from %s and %s: %w", c.Cert, c.Key, err)
	}
	held.cert = &pair
	raw, err := os.ReadFile(c.CA)
	if err != nil {
		return held, fmt.Errorf("read the authority of the manager: %w", err)
	}
	if held.roots, err = parseCerts(string(raw)); err == nil && len(held.roots) == 0 {
		err = errors.New("there is no certificate in it; want PEM")
	}
	if err != nil {
		return held, fmt.Errorf("read the authority of the manager from %s: %w: %w", c.CA, ErrInvalid, err)
	}
	return held, nil
}

// current is what the files hold.
func (f *FileMember) current() credentials {
	if err := f.load(); err != nil {
		f.cfg.Logger.Warn("files of certificates cannot be used; what they held before stays", "error", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held
}

func (f *FileMember) expired() error {
	leaf := f.current().cert.Leaf
	if f.now().Before(leaf.NotAfter) {
		return nil
	}
	return fmt.Errorf("the certificate in %s %w at %s; see why it was not renewed", f.cfg.Cert, ErrExpired, leaf.NotAfter.UTC().Format(time.RFC3339))
}

// TLS is how the agent reaches its manager at its URL. It always shows the newest
// certificate.
func (f *FileMember) TLS() *tls.Config { return f.secure(f.host) }

// Dial connects to the manager on the way that OpenFiles was given.
func (f *FileMember) Dial(ctx context.Context) (net.Conn, error) {
	return f.cfg.Way.Dial(ctx, f.secure)
}

func (f *FileMember) secure(host string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // VerifyConnection does it, with the authorities of the moment
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return f.current().cert, f.expired()
		},
		VerifyConnection: func(cs tls.ConnectionState) error { return f.verify(cs.PeerCertificates, host) },
	}
}

// verify holds what the manager shows against the authorities, and who it has to be.
func (f *FileMember) verify(certs []*x509.Certificate, host string) error {
	roots := f.current().roots
	if f.cfg.ManagerID == "" {
		if err := verify(certs, roots, host); err != nil || f.cfg.Way == nil {
			return err
		}
		return f.cfg.Way.vouched(certs[0], roots)
	}
	if err := verify(certs, roots, ""); err != nil {
		return err
	}
	if uris := certs[0].URIs; len(uris) != 1 || uris[0].String() != f.cfg.ManagerID {
		return fmt.Errorf("%w: its certificate has the URIs %v, want %s alone", ErrOtherManager, uris, f.cfg.ManagerID)
	}
	return nil
}

// lookAgain is how often the files are looked at where nothing is sent.
const lookAgain = time.Minute

// Run says so when the certificate is not renewed in time, until the context ends.
func (f *FileMember) Run(ctx context.Context) error {
	for {
		if err := f.expired(); err != nil {
			f.cfg.Logger.Error("nothing can be delivered", "error", err)
		} else if leaf := f.current().cert.Leaf; f.now().After(leaf.NotAfter.Add(-leaf.NotAfter.Sub(leaf.NotBefore) / 10)) {
			f.cfg.Logger.Warn("the certificate of this host ends soon, and was not renewed", "file", f.cfg.Cert, "expires", leaf.NotAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
	}
}
