package enroll

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// NextCAFile is the authority that comes, during a rotation. Where it is there, a
// rotation is under way; it ends by taking the place of CAFile.
const NextCAFile = "ca-next.pem"

// Overlaps of a rotation.
const (
	minOverlap = time.Minute
	maxOverlap = 366 * 24 * time.Hour
)

// Rotate begins to take another key into use for the authority. For the overlap (0 is the
// life of agents' certificates) the old one counts too. Errors wrap ErrInvalid, or the
// cause: then nothing has changed.
func (a *Authority) Rotate(overlap time.Duration, now time.Time) error {
	if overlap == 0 {
		overlap = a.cfg.Life
	}
	if overlap < minOverlap || overlap > maxOverlap {
		return fmt.Errorf("overlap %v: %w: want %v to %v", overlap, ErrInvalid, minOverlap, maxOverlap)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trust.Load()
	if t.next != nil {
		return fmt.Errorf("rotate the authority: %w: that is under way since %s; see 'cassini authority'", ErrInvalid, stamp(t.plan.Began))
	}
	plan := rotation{Began: wall(now), Until: wall(now).Add(overlap)}
	if err := a.stampRoots(t.ca.rootID()); err != nil {
		return err
	}
	if err := a.disk.setRotation(&plan); err != nil {
		return err
	}
	next, err := makeCA(filepath.Join(a.cfg.Dir, NextCAFile), a.cfg.Host, now)
	if err != nil {
		return err
	}
	rotating, err := t.rotating(next, plan, now)
	if err != nil {
		return err
	}
	a.cfg.Logger.Warn("the authority is rotated: agents move over as they talk", "old", "sha256:"+pinOf(t.ca.cert.Raw), "new", "sha256:"+pinOf(next.cert.Raw), "until", plan.Until)
	return errors.Join(a.enter(rotating), a.writeLocalToken(false, now)) // commands that run have the one before
}

// rotating is t with an authority that comes.
func (t *trust) rotating(next *ca, plan rotation, now time.Time) (*trust, error) {
	cross, err := next.vouch(t.ca, now, plan.Until)
	if err != nil {
		return nil, err
	}
	with := *t
	with.next, with.cross, with.plan = next, cross, plan
	return &with, nil
}

// enter takes a trust into use, and writes what others read of it. The lock is held.
func (a *Authority) enter(t *trust) error {
	a.trust.Store(t)
	return errors.Join(a.forgetOthers(t), a.writeCerts(t))
}

func (a *Authority) writeCerts(t *trust) error {
	var certs []*x509.Certificate
	for _, c := range t.own() {
		certs = append(certs, c.cert)
	}
	path, text := filepath.Join(a.cfg.Dir, CertFile), pems(certs)
	if is, err := os.ReadFile(path); err == nil && bytes.Equal(is, text) {
		return nil
	}
	return writeFile(path, text, 0o644)
}

// Retire ends a rotation: from now on the old authority does not count, and its key is
// gone. Unless it is forced, nobody may need it any more. Errors wrap ErrInvalid, or the
// cause.
func (a *Authority) Retire(force bool, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trust.Load()
	if t.next == nil {
		return fmt.Errorf("retire the old authority: %w: there is none, since no rotation is under way", ErrInvalid)
	}
	waiting, tokens := a.waiting(t, now), a.naming(t, now)
	if len(waiting)+len(tokens) > 0 && !force {
		return fmt.Errorf("retire the old authority: %w: %d hosts do not know the new one yet, and %d tokens name the old one; see 'cassini authority', or use --force", ErrInvalid, len(waiting), len(tokens))
	}
	dir := a.cfg.Dir
	if err := os.Rename(filepath.Join(dir, NextCAFile), filepath.Join(dir, CAFile)); err != nil {
		return fmt.Errorf("retire the old authority: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	if len(waiting) > 0 {
		a.cfg.Logger.Warn("hosts did not learn of the new authority in time, and have to join anew", "hosts", first(waiting, 20), "count", len(waiting))
	}
	a.cfg.Logger.Warn("the old authority is retired", "in_use", "sha256:"+pinOf(t.next.cert.Raw), "tokens_of_the_old", len(tokens))
	return errors.Join(a.enter(&trust{ca: t.next, outside: t.outside}), a.disk.setRotation(nil))
}

// Replace takes another authority into use at once, for a key that was stolen: no
// certificate that was given before counts, and all hosts have to join anew. It returns
// how many. A rotation that is under way ends: its key lay beside the stolen one.
func (a *Authority) Replace(now time.Time) (hosts int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trust.Load()
	if err := a.stampRoots(t.ca.rootID()); err != nil {
		return 0, err
	}
	if err := os.Remove(filepath.Join(a.cfg.Dir, NextCAFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("replace the authority: %w", err)
	}
	fresh, err := makeCA(filepath.Join(a.cfg.Dir, CAFile), a.cfg.Host, now)
	if err != nil {
		return 0, err
	}
	for _, r := range a.hosts {
		if r.live(now) {
			hosts++
		}
	}
	a.cfg.Logger.Warn("the authority was replaced at once: all hosts have to join anew", "hosts", hosts, "new", "sha256:"+pinOf(fresh.cert.Raw))
	return hosts, errors.Join(a.enter(&trust{ca: fresh, outside: t.outside}), a.writeLocalToken(true, now), a.disk.setRotation(nil))
}

// Tend retires the old authority when nobody needs it any more, or its time is over. It is
// to be called every now and then, and says whether it did so.
func (a *Authority) Tend(now time.Time) (retired bool, err error) {
	t := a.trust.Load()
	if t.next == nil {
		return false, nil
	}
	if now.Before(t.plan.Until) {
		a.mu.RLock()
		needed := len(a.waiting(t, now))+len(a.naming(t, now)) > 0
		a.mu.RUnlock()
		if needed {
			return false, nil
		}
	}
	err = a.Retire(true, now)
	return err == nil, err
}

// waiting are hosts that do not know the next authority yet, sorted. The lock is held.
func (a *Authority) waiting(t *trust, now time.Time) (hosts []string) {
	for host, r := range a.hosts {
		if r.Revoked.IsZero() && r.live(now) && r.Root != t.next.rootID() {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// naming are tokens that tell the manager by the old authority, and certificates of people
// that it signed, sorted. Where the certificate of the manager is of another authority, no
// token does. The lock is held.
func (a *Authority) naming(t *trust, now time.Time) (ids []string) {
	ids = a.having(func(k Token) bool {
		if k.Key == "" && t.outside.cert != nil {
			return false
		}
		good := k.Revoked.IsZero() && !k.ended(now) && k.Label != localToken && (k.Role != RoleAgent || k.Uses < k.Limit)
		return good && (k.Pin == "" || !strings.HasPrefix(pinOf(t.next.cert.Raw), k.Pin))
	})
	slices.Sort(ids)
	return ids
}

// stampRoots notes on certificates which authority gave them, where that is not noted: all
// of one that was never rotated. The lock is held.
func (a *Authority) stampRoots(rootID string) error {
	var c change
	for _, r := range a.hosts {
		if !slices.ContainsFunc(r.Certificates, func(i Issued) bool { return i.Root == "" }) {
			continue
		}
		r.Certificates = slices.Clone(r.Certificates)
		for n := range r.Certificates {
			if r.Certificates[n].Root == "" {
				r.Certificates[n].Root = rootID
			}
		}
		c.hosts = append(c.hosts, r)
	}
	return a.store(c)
}

// forgetOthers takes certificates off the records that authorities gave which do not count
// any more. The lock is held.
func (a *Authority) forgetOthers(t *trust) error {
	other := func(i Issued) bool { return i.Root != "" && !t.counts(i.Root) }
	var c change
	for _, r := range a.hosts {
		if slices.ContainsFunc(r.Certificates, other) {
			r.Certificates = slices.DeleteFunc(slices.Clone(r.Certificates), other)
			c.hosts = append(c.hosts, r)
		}
	}
	return a.store(c)
}

// movedOver notes that a host has shown that it knows the next authority.
func (a *Authority) movedOver(host, rootID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.hosts[host]
	if r.Host == "" || r.Root == rootID {
		return
	}
	r.Root = rootID
	if err := a.store(change{hosts: []Record{r}}); err != nil {
		a.cfg.Logger.Error("note that a host knows the next authority", "host", host, "error", err)
	}
}

var bucketAuthority = []byte("authority")

// setRotation notes that a rotation is under way, or with nil that none is.
func (d *disk) setRotation(r *rotation) error {
	return d.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucketAuthority)
		switch {
		case err != nil:
			return err
		case r == nil:
			return b.Delete([]byte("rotation"))
		}
		return put(b, "rotation", r)
	})
}

func (d *disk) rotation() (r rotation, err error) {
	err = d.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketAuthority)
		if b == nil || b.Get([]byte("rotation")) == nil {
			return nil
		}
		return get(b, "rotation", &r)
	})
	return r, err
}

// resume goes on with a rotation that was under way at the end of the process before.
func (a *Authority) resume(now time.Time) error {
	path := filepath.Join(a.cfg.Dir, NextCAFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the next authority: %w", err)
	}
	next, err := parseCA(raw)
	if err != nil {
		return fmt.Errorf("read the next authority in %s: %w: %w; restore the file from a backup, or move it away: then hosts that moved over to it join anew", path, ErrDamaged, err)
	}
	plan, err := a.disk.rotation()
	if err != nil {
		return err
	}
	if plan.Until.IsZero() {
		plan = rotation{Began: wall(now), Until: wall(now).Add(a.cfg.Life)}
	}
	t, err := a.trust.Load().rotating(next, plan, now)
	if err == nil {
		a.trust.Store(t)
	}
	return err
}

func first(list []string, n int) []string { return list[:min(n, len(list))] }
