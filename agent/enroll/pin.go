package enroll

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
)

// Pin is the hash in a token, in hexadecimal: that of the manager's authority.
func Pin(token string) (string, error) {
	parts := strings.Split(strings.TrimSpace(token), "_")
	if len(parts) != 5 || parts[0] != "cassini" {
		return "", fmt.Errorf("token: %w: want the form cassini_ROLE_ID_SECRET_HASH; was it copied whole?", ErrInvalid)
	}
	return ParsePin(parts[4])
}

// ParsePin takes a hash with or without "sha256:" before it.
func ParsePin(text string) (string, error) {
	pin := strings.ToLower(strings.TrimPrefix(text, "sha256:"))
	if raw, err := hex.DecodeString(pin); err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("hash %q: %w: want sha256: and 64 hexadecimal digits", text, ErrInvalid)
	}
	return pin, nil
}

// Pinned is how to reach a manager at a host name or address by nothing but the hash of
// its authority. The handshake fails before anything is sent when it shows another; the
// error wraps ErrOtherManager.
func Pinned(pin, host string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // VerifyConnection does it, with the authority that is pinned
		VerifyConnection: func(cs tls.ConnectionState) error {
			authority := pinned(cs.PeerCertificates, pin)
			if authority == nil {
				return fmt.Errorf("%w: it shows no certificate with hash sha256:%s; is this the address of the manager that made the token? Nothing was sent to it", ErrOtherManager, pin)
			}
			return verify(cs.PeerCertificates, []*x509.Certificate{authority}, host)
		},
	}
}

func pinned(certs []*x509.Certificate, pin string) *x509.Certificate {
	for _, c := range certs {
		if sum := sha256.Sum256(c.Raw); hex.EncodeToString(sum[:]) == pin {
			return c
		}
	}
	return nil
}

// verify holds the first of the certificates against authorities.
func verify(certs, authorities []*x509.Certificate, host string) error {
	options := x509.VerifyOptions{DNSName: host, Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool()}
	for _, authority := range authorities {
		options.Roots.AddCert(authority)
	}
	for _, c := range certs[1:] {
		options.Intermediates.AddCert(c)
	}
	if _, err := certs[0].Verify(options); err != nil {
		return fmt.Errorf("%w: %w", ErrOtherManager, err)
	}
	return nil
}
