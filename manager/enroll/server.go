package enroll

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxAddresses bounds the addresses of one certificate.
const maxAddresses = 256

// Files name certificates of another authority, in PEM. Cert and Key go together: Cert is
// the manager's own certificate and those that signed it, the authority last.
type Files struct {
	Cert, Key string
	ClientCA  string // who signs certificates of agents, beside the authority here
}

// outside is what they hold.
type outside struct {
	cert    *tls.Certificate // nil: the authority here makes it
	clients []*x509.Certificate
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
	a.outside.Store(&o)
	return nil
}

func (f Files) read() (o outside, err error) {
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
	return o, nil
}

// TLS is how the manager serves. Who shows a certificate must show a good one; who shows
// none needs a token, which the API looks at.
func (a *Authority) TLS(now func() time.Time) *tls.Config {
	var mu sync.Mutex
	var of *outside
	var cfg *tls.Config // of it: one for all connections, so that sessions are resumed
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			mu.Lock()
			defer mu.Unlock()
			if o := a.outside.Load(); o != of {
				of, cfg = o, a.config(o, now)
			}
			return cfg, nil
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not asked") }, // each connection has its own configuration
	}
}

func (a *Authority) config(o *outside, now func() time.Time) *tls.Config {
	clients := x509.NewCertPool()
	clients.AddCert(a.ca.cert)
	for _, c := range o.clients {
		clients.AddCert(c)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2", "http/1.1"},
		ClientAuth: tls.VerifyClientCertIfGiven,
		ClientCAs:  clients,
		Time:       now,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if o.cert != nil {
				return o.cert, nil
			}
			return a.server.get(localAddr(hello.Conn), now())
		},
	}
}

// Pin is the SHA-256 of the certificate that is the last in what the manager shows: that
// of its authority.
func (a *Authority) Pin() string {
	last := a.ca.cert.Raw
	if cert := a.outside.Load().cert; cert != nil {
		last = cert.Certificate[len(cert.Certificate)-1]
	}
	sum := sha256.Sum256(last)
	return hex.EncodeToString(sum[:])
}

func localAddr(conn net.Conn) netip.Addr {
	if tcp, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// serverCerts makes the manager's own certificate: at the start, before it ends, and when
// it is reached at an address that is not in it. The key is never written.
type serverCerts struct {
	ca      *ca
	host    string
	names   []string
	private ed25519.PrivateKey

	mu    sync.Mutex
	addrs []netip.Addr
	cert  *tls.Certificate
	renew time.Time
}

func newServerCerts(c *ca, cfg Config) (*serverCerts, error) {
	s := &serverCerts{ca: c, host: cfg.Host, names: []string{"localhost"}}
	if checkHost(cfg.Host) == nil {
		s.names = append(s.names, cfg.Host)
	}
	for _, name := range cfg.Names {
		if addr, err := netip.ParseAddr(name); err == nil {
			s.addrs = append(s.addrs, addr.Unmap())
		} else if err := checkHost(strings.TrimPrefix(name, "*.")); err != nil {
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
func (s *serverCerts) get(addr netip.Addr, now time.Time) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := addr.IsValid() && !slices.Contains(s.addrs, addr) && len(s.addrs) < maxAddresses
	if s.cert != nil && now.Before(s.renew) && !missing {
		return s.cert, nil
	}
	if missing {
		s.addrs = append(s.addrs, addr)
	}
	var ips []net.IP
	for _, a := range s.addrs {
		ips = append(ips, a.AsSlice())
	}
	leaf, err := s.ca.signServer(s.host, s.private.Public(), s.names, ips, now)
	if err != nil {
		return nil, err
	}
	s.cert = &tls.Certificate{Certificate: [][]byte{leaf.Raw, s.ca.cert.Raw}, PrivateKey: s.private, Leaf: leaf}
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
