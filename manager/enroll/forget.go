package enroll

import (
	"slices"
	"time"
)

// Forget drops the record of a host, unless something can still come of it: a certificate
// that counts, one that was revoked and has not expired, or a revocation of the host, which
// has to be remembered against certificates of another authority. It says whether nothing is
// left of it.
func (a *Authority) Forget(host string, now time.Time) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, ok := a.hosts[host]
	switch {
	case !ok:
		return true, nil
	case !r.forgettable(now, a.cfg.Life):
		return false, nil
	}
	if err := a.store(change{forgotten: []string{host}, hosts: a.without(host)}); err != nil {
		return false, err
	}
	if r.Tenant != "" && a.cfg.Moved != nil {
		a.cfg.Moved(host)
	}
	return true, nil
}

// Silent are the hosts whose records may be forgotten and that have not joined or renewed
// since a moment.
func (a *Authority) Silent(since, now time.Time) (hosts []string) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	for host, r := range a.hosts {
		if r.issued().Before(since) && r.forgettable(now, a.cfg.Life) {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Spoke is when a host last joined or renewed its certificate; zero where it never did.
func (a *Authority) Spoke(host string) time.Time {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.hosts[host].issued()
}

// issued is when the host got its newest certificate.
func (r Record) issued() time.Time {
	if r.Renewed.After(r.Joined) {
		return r.Renewed
	}
	return r.Joined
}

// forgettable says whether a record can go; life is that of certificates.
func (r Record) forgettable(now time.Time, life time.Duration) bool {
	shut := len(r.Shut) > 0 && now.Before(r.issued().Add(life))
	return r.Barred.IsZero() && r.Revoked.IsZero() && !r.live(now) && !shut
}
