package enroll

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// keepsHeader tells the manager that this agent keeps the authorities of an answer.
const keepsHeader = "Cassini-Keeps-Authorities"

// maxAuthorities bounds those of an answer.
const maxAuthorities = 16

// answer is what the manager gives who joins or renews.
type answer struct {
	leaf        *x509.Certificate
	authorities []*x509.Certificate // none from a manager that knows no more than one
}

// identity is what a host has then; known are the authorities by which it knew the manager.
func (a *answer) identity(key crypto.Signer, known []*x509.Certificate) *Identity {
	id := &Identity{Host: hostOf(a.leaf), Name: a.leaf.Subject.CommonName, Authorities: known, Cert: tls.Certificate{Certificate: [][]byte{a.leaf.Raw}, PrivateKey: key, Leaf: a.leaf}}
	if len(a.authorities) > 0 {
		id.Authorities = a.authorities
	}
	return id
}

// parseAnswer reads an answer, and sees that its certificate is for our key.
func parseAnswer(raw []byte, key crypto.Signer) (*answer, error) {
	var body struct {
		Certificate string `json:"certificate"`
		Authorities string `json:"authorities"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("read the manager's answer: %w", err)
	}
	leaves, err := parseCerts(body.Certificate)
	if err != nil || len(leaves) == 0 {
		return nil, fmt.Errorf("read the manager's answer: %w: there is no certificate in it: %v", ErrInvalid, err)
	}
	leaf := leaves[0]
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(leaf.PublicKey) {
		return nil, fmt.Errorf("read the manager's answer: %w: the certificate is for another key", ErrInvalid)
	}
	if hostOf(leaf) == "" {
		return nil, fmt.Errorf("read the manager's answer: %w: the certificate is not of an agent", ErrInvalid)
	}
	authorities, err := parseCerts(body.Authorities)
	if err != nil {
		return nil, fmt.Errorf("read the authorities of the manager's answer: %w: %w", ErrInvalid, err)
	}
	return &answer{leaf, authorities}, nil
}

// parseCerts are the certificates in a text of PEM.
func parseCerts(text string) (certs []*x509.Certificate, err error) {
	for block, rest := pem.Decode([]byte(text)); block != nil && len(certs) < maxAuthorities; block, rest = pem.Decode(rest) {
		if block.Type != blockCert {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	return certs, nil
}
