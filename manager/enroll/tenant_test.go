package enroll

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTenant follows a tenant from the token by which a host joins to who it is then.
func TestTenant(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	var moved []string
	a.cfg.Moved = func(host string) { moved = append(moved, host) }
	join := func(r TokenRequest, host string, now time.Time) error {
		r.Role = RoleAgent
		j, err := a.Join(token(t, a, r, now), JoinRequest{Host: host, Request: request(t, nil)}, now)
		if err == nil && tenantIn(certOf(t, j)) != a.TenantOf(host) {
			t.Errorf("the certificate says %q, the record %q", tenantIn(certOf(t, j)), a.TenantOf(host))
		}
		return err
	}
	if err := join(TokenRequest{Tenant: "red"}, "web-1", start); err != nil || a.TenantOf("web-1") != "red" {
		t.Fatalf("%v %q", err, a.TenantOf("web-1"))
	}
	if err := join(TokenRequest{}, "core-1", start); err != nil || a.TenantOf("core-1") != "" {
		t.Fatalf("%v %q", err, a.TenantOf("core-1"))
	}
	late := start.Add(2 * DefaultLife) // its certificate has ended, and its name is free else
	for _, tenant := range []string{"blue", ""} {
		if err := join(TokenRequest{Tenant: tenant}, "web-1", late); !errors.Is(err, ErrTaken) || a.TenantOf("web-1") != "red" {
			t.Errorf("taken by a token of %q: %v", tenant, err)
		} else if tenant != "" && strings.Contains(err.Error(), "red") {
			t.Errorf("a token of %q tells whose a host is: %v", tenant, err)
		}
	}
	if err := join(TokenRequest{Tenant: "red"}, "web-1", late); err != nil {
		t.Error(err)
	}
	if err := join(TokenRequest{Tenant: "blue", Host: "web-1"}, "web-1", late); err != nil || a.TenantOf("web-1") != "blue" {
		t.Errorf("moved in words: %v %q", err, a.TenantOf("web-1"))
	}
	if len(moved) != 2 || moved[0] != "web-1" || moved[1] != "web-1" {
		t.Errorf("moved: %v", moved)
	}
	viewer := token(t, a, TokenRequest{Role: RoleViewer, Tenant: "red"}, start)
	if who, err := a.Bearer(viewer, start); err != nil || who.Tenant != "red" || who.Role != RoleViewer {
		t.Errorf("%+v, %v", who, err)
	}
	for _, r := range []TokenRequest{{Role: RoleAdmin, Tenant: "red"}, {Role: RoleViewer, Tenant: "Red"}, {Role: RoleViewer, Tenant: "r/d"}, {Role: RoleViewer, Tenant: "-red"}} {
		if _, _, err := a.CreateToken(r, start); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	key := a.MaskKey()
	_ = a.Close()
	b := open(t, dir, start)
	if b.TenantOf("web-1") != "blue" || !bytes.Equal(b.MaskKey(), key) || len(key) != maskSize {
		t.Errorf("after another start: %q, %x", b.TenantOf("web-1"), b.MaskKey())
	}
}

// TestTenantOfLostRecord takes the tenant from the certificate where the record is lost.
func TestTenantOfLostRecord(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	now := start.Add(time.Hour)
	j, err := a.Join(token(t, a, TokenRequest{Role: RoleAgent, Tenant: "red"}, now), JoinRequest{Host: "web-1", Request: request(t, nil)}, now)
	if err != nil {
		t.Fatal(err)
	}
	cert := certOf(t, j)
	_ = a.Close()
	a = open(t, dir, start)
	delete(a.hosts, "web-1")
	_ = a.disk.Close()
	if err := Restored(filepath.Join(dir, StateFile), start, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir, now)
	b.mu.Lock()
	delete(b.hosts, "web-1")
	b.mu.Unlock()
	if _, err := b.whose(cert, now); err != nil || b.TenantOf("web-1") != "red" {
		t.Errorf("%v %q", err, b.TenantOf("web-1"))
	}
}
