package enroll

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Files of the data directory.
const (
	FileName    = "agent.pem" // key, certificate, and the certificates of the manager's authorities
	pendingFile = "agent.key" // of a join that has no answer yet
	copyFile    = "copy.key"  // the same of a copy that asks for a name of its own
)

const (
	blockKey     = "PRIVATE KEY"
	blockCert    = "CERTIFICATE"
	blockRequest = "CERTIFICATE REQUEST"
)

// Identity is what a host has that joined.
type Identity struct {
	// Host is what the manager calls this host, Name its host name. They are the same unless
	// another machine has the name.
	Host, Name string

	Cert tls.Certificate // with its Leaf
	// Authorities are those by which the manager is known: one, or two while the
	// manager's is rotated.
	Authorities []*x509.Certificate
}

// Load reads the identity in a data directory. Without one the error wraps ErrNotJoined.
func Load(dir string) (*Identity, error) {
	path := filepath.Join(dir, FileName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s; make a token on the manager with 'cassini token create --role agent', and run 'cassini join --manager URL --token TOKEN' here", ErrNotJoined, path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the identity of this host: %w", err)
	}
	id, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read the identity of this host from %s: %w; move the file away and join anew by 'cassini join'", path, err)
	}
	return id, nil
}

func parse(raw []byte) (*Identity, error) {
	id := &Identity{}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case blockKey:
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, err
			}
			id.Cert.PrivateKey = key
		case blockCert:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			certs = append(certs, cert)
		}
	}
	signer, ok := id.Cert.PrivateKey.(crypto.Signer)
	if !ok || len(certs) < 2 {
		return nil, fmt.Errorf("%w: want a key, a certificate and that of the manager's authority in it", ErrInvalid)
	}
	if public, ok := certs[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(signer.Public()) {
		return nil, fmt.Errorf("%w: its key is not that of its certificate", ErrInvalid)
	}
	id.Cert.Leaf, id.Authorities = certs[0], certs[1:]
	id.Cert.Certificate = [][]byte{certs[0].Raw}
	if id.Host, id.Name = hostOf(certs[0]), certs[0].Subject.CommonName; id.Host == "" {
		return nil, fmt.Errorf("%w: its certificate is not of an agent", ErrInvalid)
	}
	return id, nil
}

// hostOf is whose agent a certificate is of; "" for one that is of none.
func hostOf(leaf *x509.Certificate) string {
	if len(leaf.URIs) != 1 {
		return ""
	}
	return strings.TrimPrefix(leaf.URIs[0].Path, "/")
}

// text is the identity as it is kept.
func (id *Identity) text() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(id.Cert.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("encode the key of this host: %w", err)
	}
	text := encode(blockKey, key)
	text = append(text, encode(blockCert, id.Cert.Leaf.Raw)...)
	for _, authority := range id.Authorities {
		text = append(text, encode(blockCert, authority.Raw)...)
	}
	return text, nil
}

func (id *Identity) store(dir string) error {
	text, err := id.text()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, FileName), text)
}

// expired says so, and what to do.
func (id *Identity) expired(now time.Time) error {
	if now.Before(id.Cert.Leaf.NotAfter) {
		return nil
	}
	return fmt.Errorf("the certificate of this host (%s) %w at %s; make a token on the manager with 'cassini token create --role agent --host %s', and run 'cassini join' here", id.Host, ErrExpired, id.Cert.Leaf.NotAfter.UTC().Format(time.RFC3339), id.Host)
}

// renewAt is when two thirds of the certificate's life are over.
func (id *Identity) renewAt() time.Time {
	leaf := id.Cert.Leaf
	return leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) * 2 / 3)
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile replaces a file whole and durably, for its owner alone.
func writeFile(path string, content []byte) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close()); err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}
