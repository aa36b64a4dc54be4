package enroll

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// gone copies the files of an authority.
func gone(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	for _, name := range []string{CAFile, StateFile} {
		raw, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestRestored lets in who was let in between backup and restore, and nobody else.
func TestRestored(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	stays := joined(t, a, "stays", start)
	renews := joined(t, a, "renews", start)
	revoked := joined(t, a, "revoked", start)
	if _, err := a.Revoke("revoked", "", start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	_ = a.Close()
	backup := start.Add(time.Hour + 500*time.Millisecond)
	old := gone(t, dir)

	a = open(t, dir, backup)
	between := backup.Add(100 * time.Millisecond) // the same second
	renewed, err := a.Renew(renews, JoinRequest{Host: "renews", Request: request(t, nil)}, between)
	if err != nil {
		t.Fatal(err)
	}
	later := joined(t, a, "later", between)
	again := joined(t, a, "again", between)
	back := joined(t, a, "revoked", between)
	_ = a.Close()

	restore := backup.Add(24 * time.Hour)
	if err := Restored(filepath.Join(old, StateFile), backup, restore); err != nil {
		t.Fatal(err)
	}
	now := restore.Add(time.Minute)
	a = open(t, old, now)
	for name, tc := range map[string]struct {
		cert *x509.Certificate
		want error
	}{
		"stays": {stays, nil}, "later": {later, nil}, "again": {again, nil}, "renewed": {certOf(t, renewed), nil},
		"revoked before": {revoked, ErrRevoked}, "revoked before, and back": {back, nil},
	} {
		if who, err := a.whose(tc.cert, now); !errors.Is(err, tc.want) || err == nil && who.Role != RoleAgent {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if _, err := a.Renew(certOf(t, renewed), JoinRequest{Host: "renews", Request: request(t, nil)}, now); err != nil {
		t.Errorf("renew what was taken over: %v", err)
	}

	// What is revoked after the restore stays so.
	if _, err := a.Revoke("later", "", now); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Revoke("again", serialOf(again), now); err != nil {
		t.Fatal(err)
	}
	for _, cert := range []*x509.Certificate{later, again} {
		if _, err := a.whose(cert, now); !errors.Is(err, ErrRevoked) {
			t.Errorf("after it was revoked: %v", err)
		}
	}
	// And what was given after it must stand on record.
	alien, err := a.trust.Load().ca.signAgent(Record{Host: "alien"}, parsed(t), now, a.cfg.Life)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.whose(alien, now); !errors.Is(err, ErrRevoked) {
		t.Errorf("not on record, given after the restore: %v", err)
	}
	_ = a.Close()
	b := open(t, old, now)
	if _, err := b.whose(certOf(t, renewed), now); err != nil {
		t.Errorf("after another start: %v", err)
	}
	if _, err := b.whose(again, now); !errors.Is(err, ErrRevoked) {
		t.Errorf("after another start: %v", err)
	}
}

func parsed(t *testing.T) *x509.CertificateRequest {
	t.Helper()
	r, err := parseRequest(request(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestIssued(t *testing.T) {
	a := open(t, t.TempDir(), start)
	for _, life := range []time.Duration{time.Minute, time.Hour, 30 * 24 * time.Hour} {
		cert, err := a.trust.Load().ca.signAgent(Record{Host: "h"}, parsed(t), start, life)
		if err != nil {
			t.Fatal(err)
		}
		if d := issued(cert).Sub(start); d < -time.Second || d > time.Second {
			t.Errorf("life %v: off by %v", life, d)
		}
	}
}
