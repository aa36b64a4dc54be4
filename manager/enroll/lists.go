package enroll

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

// maxList bounds a file with a list of revoked certificates, in bytes.
const maxList = 64 << 20

// revocations are lists of what other authorities revoked (RFC 5280, section 5).
type revocations []revocation

type revocation struct {
	path    string
	issuer  []byte // as in certificates
	until   time.Time
	serials map[string]time.Time
}

// readLists reads lists, in PEM or DER, that one of the authorities signed.
func readLists(paths []string, by []*x509.Certificate) (lists revocations, err error) {
	for _, path := range paths {
		list, err := readList(path, by)
		if err != nil {
			return nil, fmt.Errorf("read the list of revoked certificates in %s: %w", path, err)
		}
		lists = append(lists, list)
	}
	return lists, nil
}

func readList(path string, by []*x509.Certificate) (list revocation, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return list, err
	}
	if info.Size() > maxList {
		return list, fmt.Errorf("%w: it has %d bytes; %d are taken", ErrInvalid, info.Size(), maxList)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return list, err
	}
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	return parseList(path, raw, by)
}

func parseList(path string, der []byte, by []*x509.Certificate) (list revocation, err error) {
	parsed, err := x509.ParseRevocationList(der)
	if err != nil {
		return list, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	why := errors.New("its authority is not in the file of --tls-client-ca")
	for _, authority := range by {
		if bytes.Equal(authority.RawSubject, parsed.RawIssuer) {
			if why = parsed.CheckSignatureFrom(authority); why == nil {
				break
			}
		}
	}
	if why != nil {
		return list, fmt.Errorf("%w: %w", ErrInvalid, why)
	}
	list = revocation{path: path, issuer: parsed.RawIssuer, until: parsed.NextUpdate, serials: make(map[string]time.Time, len(parsed.RevokedCertificateEntries))}
	for _, entry := range parsed.RevokedCertificateEntries {
		list.serials[entry.SerialNumber.Text(16)] = entry.RevocationTime
	}
	return list, nil
}

// check says whether a certificate was revoked. Where the list of its authority is out of
// date nobody can tell, and it does not count.
func (lists revocations) check(cert *x509.Certificate, now time.Time) error {
	for _, list := range lists {
		if !bytes.Equal(list.issuer, cert.RawIssuer) {
			continue
		}
		if at, is := list.serials[serialOf(cert)]; is {
			return fmt.Errorf("certificate %s of %s: %w at %s by its authority", serialOf(cert), subjectOf(cert), ErrRevoked, stamp(at))
		}
		if !list.until.IsZero() && now.After(list.until) {
			return fmt.Errorf("certificate %s of %s: %w: whether it was revoked is not known, for the list of its authority, in %s, was to be replaced until %s", serialOf(cert), subjectOf(cert), ErrExpired, list.path, stamp(list.until))
		}
	}
	return nil
}
