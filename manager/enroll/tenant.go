package enroll

import (
	"crypto/x509"
	"fmt"
	"regexp"

	bolt "go.etcd.io/bbolt"
)

// A tenant is part of an estate whose people see its hosts and nobody else's. It is a name
// in tokens, records and certificates; what is of none is the estate's own, which those
// see who are of no tenant themselves.

// tenantForm is what is taken as a tenant's name.
var tenantForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

func checkTenant(tenant string) error {
	if tenant == "" || tenantForm.MatchString(tenant) {
		return nil
	}
	return fmt.Errorf("tenant %q: %w: want up to 32 small letters, digits and hyphens", tenant, ErrInvalid)
}

// tenantIn is the tenant in the certificate of an agent. It counts only where the record
// is lost: the record says whose a host is.
func tenantIn(cert *x509.Certificate) string {
	if units := cert.Subject.OrganizationalUnit; len(units) == 1 && tenantForm.MatchString(units[0]) {
		return units[0]
	}
	return ""
}

func unitsOf(tenant string) []string {
	if tenant == "" {
		return nil
	}
	return []string{tenant}
}

// TenantOf is the tenant of a host; "" for one of none, and for one that never joined.
func (a *Authority) TenantOf(host string) string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.hosts[host].Tenant
}

// moves says whether a host that is known may become another tenant's: what is remembered
// of it goes along, so that somebody has to mean it.
func (r Record) moves(t Token) error {
	if r.Host == "" || r.Tenant == t.Tenant || t.Host != "" {
		return nil
	}
	if t.Tenant != "" { // who joins by it may not know whose others are
		return fmt.Errorf("host %s: %w, and not as one of tenant %s: give the machine another host name, or have an admin make a token for this host alone", r.Host, ErrTaken, t.Tenant)
	}
	return fmt.Errorf("host %s: %w, as one of tenant %s: what is remembered of it would be of no tenant; if that is wanted, use a token for this host alone ('cassini token create --role agent --host %s')", r.Host, ErrTaken, r.Tenant, r.Host)
}

var bucketSecrets = []byte("secrets")

const maskSize = 32

// MaskKey is a secret that outlives restarts: by it, names that one tenant may not see are
// made into others.
func (a *Authority) MaskKey() []byte { return a.mask }

func (d *disk) maskKey() (key []byte, err error) {
	err = d.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucketSecrets)
		if err != nil {
			return err
		}
		if kept := b.Get([]byte("mask")); len(kept) == maskSize {
			key = append(key, kept...)
			return nil
		}
		key = []byte(random(maskSize / 2))
		return b.Put([]byte("mask"), key)
	})
	return key, err
}
