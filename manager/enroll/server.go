package enroll

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/manager/enroll/identify"
	"cassini/manager/enroll/people"
	"cassini/manager/enroll/users"
)

// maxAddresses bounds the addresses of one certificate.
const maxAddresses = 256

// Files name certificates of another authority, in PEM. Cert and Key go together: Cert is
// the manager's own certificate and those that signed it, the authority last.
type Files struct {
	Cert, Key string
	ClientCA  string // who signs certificates of agents, beside the authority here
	// IDs are rules of package identify: by which names in these certificates agents are
	// known, beside cassini://agent/HOST.
	IDs []string
	// People are rules of package people: what people and programs may do by the names in
	// such certificates.
	People []string
	Lists  []string // of certificates that such an authority has revoked
	Users  string   // users with a password, of package users
}

// names are the files whose content is read, of which "" is none.
func (f Files) names() []string {
	return append([]string{f.Cert, f.Key, f.ClientCA, f.Users}, f.Lists...)
}

// outside is what they hold.
type outside struct {
	cert    *tls.Certificate // nil: the authority here makes it
	clients []*x509.Certificate
	ids     identify.Rules
	people  people.Rules
	lists   revocations
	users   *users.Users // nil: nobody has a password
	files   Files
	stamps  []fileStamp // of the files when they were read
}

// fileStamp tells whether a file was written since.
type fileStamp struct {
	size     int64
	modified time.Time
}

// Check reads the files and says what is wrong with them.
func (f Files) Check() error {
	_, err := f.read()
	return err
}

// ReadFiles takes the certificates of another authority into use, for connections that
// are made from now on. On an error those before stay.
func (a *Authority) ReadFiles(f Files) error {
	o, err := f.read()
	if err != nil {
		return err
	}
	a.broken.Store(nil)
	a.mu.Lock()
	defer a.mu.Unlock()
	t := *a.trust.Load()
	t.outside = &o
	a.trust.Store(&t)
	return nil
}

// stamp looks when the files were written. What cannot be looked at is as if it were not
// there.
func (f Files) stamp() (stamps []fileStamp) {
	for _, path := range f.names() {
		stamp := fileStamp{}
		if info, err := os.Stat(path); path != "" && err == nil {
			stamp = fileStamp{info.Size(), info.ModTime()}
		}
		stamps = append(stamps, stamp)
	}
	return stamps
}

// Reread takes files into use that were written since they were read, and says whether
// there were any. While they cannot be used, those before stay, and each state of
// them is an error once. It is to be called every now and then.
func (a *Authority) Reread() (bool, error) {
	o := a.trust.Load().outside
	stamps := o.files.stamp()
	if broken := a.broken.Load(); slices.Equal(stamps, o.stamps) || broken != nil && slices.Equal(stamps, *broken) {
		return false, nil
	}
	if err := a.ReadFiles(o.files); err != nil {
		a.broken.Store(&stamps)
		return false, err
	}
	return true, nil
}

func (f Files) read() (o outside, err error) {
	o.files, o.stamps = f, f.stamp() // before they are read: what comes later is read again
	if (f.Cert == "") != (f.Key == "") {
		return o, fmt.Errorf("certificate of the manager: %w: --tls-cert and --tls-key go together", ErrInvalid)
	}
	if f.Cert != "" {
		cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return o, fmt.Errorf("read the manager's certificate from %s and %s: %w", f.Cert, f.Key, err)
		}
		o.cert = &cert
	}
	if err := o.readUsers(f.Users); err != nil {
		return o, err
	}
	if o.people, err = parsePeople(f.People); err != nil {
		return o, err
	}
	if o.ids, err = identify.Parse(f.IDs); err != nil {
		return o, fmt.Errorf("--tls-client-id: %w: %w", ErrInvalid, err)
	}
	if f.ClientCA == "" && len(f.IDs)+len(f.People)+len(f.Lists) > 0 {
		return o, fmt.Errorf("--tls-client-id, --tls-client-role, --tls-client-crl: %w: they are about certificates of another authority, whose file --tls-client-ca names", ErrInvalid)
	}
	if f.ClientCA == "" {
		return o, nil
	}
	raw, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return o, fmt.Errorf("read the authority of agents: %w", err)
	}
	if o.clients, err = parseCerts(raw); err != nil {
		return o, fmt.Errorf("read the authority of agents from %s: %w", f.ClientCA, err)
	}
	o.lists, err = readLists(f.Lists, o.clients)
	return o, err
}

// TLS is how the manager serves. Whether a certificate that is shown is a good one is
// looked at with each request (Shown), so that who shows a bad one is told why.
func (a *Authority) TLS(now func() time.Time) *tls.Config {
	var mu sync.Mutex
	var of *trust
	var cfg *tls.Config // of it: one for all connections, so that sessions are resumed
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			mu.Lock()
			defer mu.Unlock()
			if t := a.trust.Load(); t != of {
				of, cfg = t, a.config(t, now)
			}
			return cfg, nil
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not asked") }, // each connection has its own configuration
	}
}

func (a *Authority) config(t *trust, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.RequestClientCert,
		Time:       now,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if t.outside.cert != nil {
				return t.outside.cert, nil
			}
			return a.server.get(t, localAddr(hello.Conn), now())
		},
	}
}

// Pin is the SHA-256 of the certificate that is the last in what the manager shows: that
// of its authority.
func (a *Authority) Pin() string { return a.trust.Load().pin() }

func localAddr(conn net.Conn) netip.Addr {
	if tcp, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// serverCerts makes the manager's own certificate: at the start, before it ends, when the
// clock was set back to before it began, and when it is reached at an address that is not in it. The key is never written.
type serverCerts struct {
	host    string
	names   []string
	private ed25519.PrivateKey

	mu    sync.Mutex
	addrs []netip.Addr
	cert  *tls.Certificate
	of    *trust // that cert was made with
	renew time.Time
}

func newServerCerts(cfg Config) (*serverCerts, error) {
	s := &serverCerts{host: cfg.Host, names: []string{"localhost"}}
	if CheckHost(cfg.Host) == nil {
		s.names = append(s.names, cfg.Host)
	}
	for _, name := range cfg.Names {
		if addr, err := netip.ParseAddr(name); err == nil {
			s.addrs = append(s.addrs, addr.Unmap())
		} else if err := CheckHost(strings.TrimPrefix(name, "*.")); err != nil {
			return nil, fmt.Errorf("--tls-name: %w", err)
		} else {
			s.names = append(s.names, name)
		}
	}
	s.addrs = append(s.addrs, netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback())
	var err error
	if _, s.private, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, fmt.Errorf("make the manager's key: %w", err)
	}
	return s, nil
}

// get is a certificate that is good for an address of this machine.
func (s *serverCerts) get(t *trust, addr netip.Addr, now time.Time) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := addr.IsValid() && !slices.Contains(s.addrs, addr) && len(s.addrs) < maxAddresses
	now = wall(now)
	if s.cert != nil && s.of == t && now.Before(s.renew) && !now.Before(s.cert.Leaf.NotBefore) && !missing {
		return s.cert, nil
	}
	if missing {
		s.addrs = append(s.addrs, addr)
	}
	var ips []net.IP
	for _, a := range s.addrs {
		ips = append(ips, a.AsSlice())
	}
	leaf, err := t.ca.signServer(s.host, s.private.Public(), s.names, ips, now)
	if err != nil {
		return nil, err
	}
	s.cert = &tls.Certificate{Certificate: append([][]byte{leaf.Raw}, t.chain()...), PrivateKey: s.private, Leaf: leaf}
	s.of = t
	s.renew = now.Add(leaf.NotAfter.Sub(now) / 2)
	return s.cert, nil
}

func parseCerts(raw []byte) (certs []*x509.Certificate, err error) {
	for _, der := range pemCerts(raw) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if certs == nil {
		return nil, errors.New("there is no certificate in it; want PEM")
	}
	return certs, nil
}
