package enroll

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
)

// Way is how to reach a manager whose host is not known beforehand, since DNS names it.
type Way struct {
	// Service is the name that DNS was asked for.
	Service string
	// Dial connects to a manager, and hands its host to secure for what to hold it against.
	Dial func(ctx context.Context, secure func(host string) *tls.Config) (net.Conn, error)
}

// URL stands for the manager in requests; what is connected to is for Dial to say.
func (w *Way) URL() string { return "https://" + w.Service }

// transport goes the way, or without one to the host of a URL.
func (w *Way) transport(secure func(host string) *tls.Config, host string) *http.Transport {
	if w == nil {
		return &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure(host)}
	}
	return &http.Transport{DisableKeepAlives: true, DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return w.Dial(ctx, secure)
	}}
}

// pinned is Pinned, and what this way asks beyond.
func (w *Way) pinned(pin, host string) *tls.Config {
	cfg := Pinned(pin, host)
	if w == nil {
		return cfg
	}
	first := cfg.VerifyConnection
	cfg.VerifyConnection = func(cs tls.ConnectionState) error {
		if err := first(cs); err != nil {
			return err
		}
		return w.vouched(cs.PeerCertificates[0], []*x509.Certificate{pinned(cs.PeerCertificates, pin)})
	}
	return cfg
}

// Dial connects to the manager on the way that Open was given, and shows this host's
// certificate. It offers HTTP/2.
func (m *Member) Dial(ctx context.Context) (net.Conn, error) {
	return m.way.Dial(ctx, func(host string) *tls.Config {
		cfg := m.secure(host)
		cfg.NextProtos = []string{"h2", "http/1.1"}
		return cfg
	})
}

// secure is TLS, and what the way asks beyond.
func (m *Member) secure(host string) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		InsecureSkipVerify:   true, // VerifyConnection does it, with the authorities of the moment
		GetClientCertificate: m.certificate,
		VerifyConnection: func(cs tls.ConnectionState) error {
			id := m.identity()
			if err := verify(cs.PeerCertificates, id.Authorities, host); err != nil {
				return fmt.Errorf("%w; if the manager's authority was replaced, this host has to join anew: 'cassini join'", err)
			}
			if m.way != nil {
				if err := m.way.vouched(cs.PeerCertificates[0], id.Authorities); err != nil {
					return err
				}
			}
			m.noticed(id, cs.PeerCertificates)
			return nil
		},
	}
}

// signedBy is the authority that signed a certificate, or one whose name it bears no more
// than another's: the first.
func signedBy(cert *x509.Certificate, authorities []*x509.Certificate) *x509.Certificate {
	for _, a := range authorities {
		if cert.CheckSignatureFrom(a) == nil {
			return a
		}
	}
	return authorities[0]
}

// vouched holds a certificate, which an authority signed for the host that DNS named,
// against a forged answer. A manager's own authority signs certificates of servers for the
// manager alone. An authority of a company signs many: there, the certificate has to bear
// the name that DNS was asked for, or every server of the company could play the manager.
func (w *Way) vouched(cert *x509.Certificate, authorities []*x509.Certificate) error {
	authority := signedBy(cert, authorities)
	if managers(authority) {
		return nil
	}
	if err := cert.VerifyHostname(w.Service); err != nil {
		return fmt.Errorf("%w: its authority (%s) is not a manager's own, and for a manager found by DNS the certificate must then also be for %s: %w", ErrOtherManager, authority.Subject, w.Service, err)
	}
	return nil
}
