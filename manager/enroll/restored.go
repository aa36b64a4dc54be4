package enroll

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"cassini/manager/archive"

	bolt "go.etcd.io/bbolt"
)

// A backup knows nothing of certificates that were given after it was made. Who joined or
// renewed in the gap between backup and restore has one that the authority signed, and
// that stands in no record. It is taken over when it is shown, if it was signed within the
// gap; an older one that stands in no record was revoked or replaced, as ever. What was
// revoked in the gap cannot be told from it: that has to be revoked again.

// gap is a time that the records know nothing of.
type gap struct {
	From  time.Time `json:"from"`  // of the backup
	Until time.Time `json:"until"` // of the restore
}

var errNoGap = errors.New("it was not given between a backup and its restore")

// bucketGaps is there only in files that were restored.
var bucketGaps = []byte("gaps")

const maxGaps = 16 // the last ones

// Snapshots begin to read the files of the authority.
func (a *Authority) Snapshots() []archive.Source {
	sources := []archive.Source{
		a.disk.Snapshot,
		func() (archive.Part, error) {
			p, ok, err := archive.Small(a.cfg.Dir, CAFile)
			if err == nil && !ok {
				err = fmt.Errorf("%s is missing: it holds the key of the authority", filepath.Join(a.cfg.Dir, CAFile))
			}
			return p, err
		},
	}
	if a.trust.Load().next != nil {
		sources = append(sources, func() (archive.Part, error) {
			p, _, err := archive.Small(a.cfg.Dir, NextCAFile)
			return p, err
		})
	}
	return sources
}

// Restored notes in a file of the authority that comes from a backup, and that nobody has
// open, what time it knows nothing of.
func Restored(path string, from, until time.Time) error {
	d, err := openDisk(filepath.Dir(path))
	if err != nil {
		return err
	}
	gaps, err := d.gaps()
	if err == nil {
		gaps = append(gaps[max(0, len(gaps)-maxGaps+1):], gap{from.UTC(), until.UTC()})
		err = d.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucketGaps)
			if err != nil {
				return err
			}
			return put(b, string(bucketGaps), gaps)
		})
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("take the restored authority into use: %w", err)
	}
	return nil
}

func (d *disk) gaps() (list []gap, err error) {
	err = d.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketGaps)
		if b == nil {
			return nil
		}
		return get(b, string(bucketGaps), &list)
	})
	return list, err
}

// holds says whether a certificate of a moment is of the gap. Dates of certificates have
// whole seconds: one of the second of the backup may have come after it.
func (g gap) holds(at time.Time) bool {
	return !at.Before(g.From.Truncate(time.Second)) && !at.After(g.Until)
}

// issued is when the authority signed a certificate: its life begins a little earlier.
func issued(cert *x509.Certificate) time.Time {
	life := cert.NotAfter.Sub(cert.NotBefore)
	return cert.NotBefore.Add(min(maxSkew, life/11))
}

// adopt puts a certificate on its host's record that was given in a gap. TLS has seen that
// the authority signed it.
func (a *Authority) adopt(cert *x509.Certificate, host string, now time.Time) error {
	at := issued(cert)
	i := slices.IndexFunc(a.gaps, func(g gap) bool { return g.holds(at) })
	if i < 0 {
		return errNoGap
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	r, known := a.hosts[host]
	switch {
	case r.has(cert):
		return nil // somebody else was faster
	case !known && len(a.hosts) >= maxHosts:
		return ErrFull
	case !r.Revoked.IsZero() && !r.Revoked.Before(a.gaps[i].From), slices.Contains(r.Shut, serialOf(cert)):
		return ErrRevoked // after the restore
	case !known:
		r = Record{Host: host, Name: otherName(host, cert.Subject.CommonName), Tenant: tenantIn(cert), Token: "restored", Joined: at.UTC(), CopyOf: originIn(cert)}
	}
	r.Revoked = time.Time{} // it joined again in the gap, or was not revoked
	r.Certificates = append(slices.Clone(r.Certificates[max(0, len(r.Certificates)-1):]), Issued{Serial: serialOf(cert), Key: keyHash(cert.RawSubjectPublicKeyInfo), Expires: cert.NotAfter, Root: hex.EncodeToString(cert.AuthorityKeyId)})
	a.cfg.Logger.Warn("a certificate that was given after the backup is taken over; if it was revoked since, revoke it again", "host", host, "serial", serialOf(cert), "given", at.UTC())
	return a.store(change{hosts: []Record{r}})
}
