package enroll

import (
	"testing"
	"time"
)

// TestForget drops records of which nothing can come, from the disk too, and no others.
func TestForget(t *testing.T) {
	a := open(t, t.TempDir(), start)
	for _, host := range []string{"gone", "revoked", "back"} {
		if _, err := seated(t, a, TokenRequest{}, host, box(len(host)), start); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := seated(t, a, TokenRequest{}, "gone", box(9), start); err != nil { // gone~2
		t.Fatal(err)
	}
	if _, err := a.Revoke("revoked", "", start); err != nil {
		t.Fatal(err)
	}
	forget := func(host string, now time.Time) bool {
		t.Helper()
		gone, err := a.Forget(host, now)
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	if forget("gone", start.Add(time.Hour)) {
		t.Error("it has a certificate that counts")
	}
	later := start.Add(DefaultLife + time.Hour)
	if list := a.Silent(start.Add(time.Hour), later); len(list) != 3 || list[0] != "back" || list[1] != "gone" || list[2] != "gone~2" {
		t.Errorf("silent: %v", list)
	}
	if list := a.Silent(start.Add(-time.Hour), later); list != nil {
		t.Errorf("silent since before they joined: %v", list)
	}
	if forget("revoked", later) {
		t.Error("what was shut out must be remembered")
	}
	for _, host := range []string{"gone", "gone~2", "never"} {
		if !forget(host, later) || !a.Spoke(host).IsZero() {
			t.Errorf("%s is there", host)
		}
	}
	if len(a.names["gone"]) != 0 || len(a.names) != 2 {
		t.Errorf("names %v", a.names)
	}
	_, hosts, err := a.disk.load()
	if err != nil || len(hosts) != 2 {
		t.Errorf("on disk %v, %v", hosts, err)
	}
	if id, err := seated(t, a, TokenRequest{}, "gone", box(8), later); err != nil || id != "gone" {
		t.Errorf("another machine of the name is called %q, %v", id, err)
	}
}
