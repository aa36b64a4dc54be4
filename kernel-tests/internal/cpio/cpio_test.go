package cpio_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"cassini/kernel-tests/internal/cpio"
)

func archive(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := cpio.NewWriter(&buf)
	for _, err := range []error{
		w.File("/init", 0o755, []byte("#!")),
		w.File("a/b/c", 0o600, []byte("12345")),
		w.Dir("/tmp", 0o1777),
		w.Dir("a", 0o755),
		w.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return buf.Bytes()
}

func TestLayout(t *testing.T) {
	got := archive(t)
	if len(got)%4 != 0 {
		t.Errorf("%d bytes: not aligned", len(got))
	}
	// Each header stands at a multiple of four, names begin 110 bytes behind it.
	var names []string
	for at := 0; at < len(got); {
		if string(got[at:at+6]) != "070701" {
			t.Fatalf("no header at %d", at)
		}
		size, name := field(t, got, at, 6), field(t, got, at, 11)
		names = append(names, string(got[at+110:at+110+name-1]))
		at = (at+110+name+3)&^3 + (size+3)&^3
	}
	want := "init a a/b a/b/c tmp TRAILER!!!"
	if s := strings.Join(names, " "); s != want {
		t.Errorf("names %q, want %q", s, want)
	}
}

func field(t *testing.T, b []byte, at, n int) int {
	t.Helper()
	var v int
	for _, c := range string(b[at+6+8*n : at+14+8*n]) {
		v = v<<4 + strings.IndexRune("0123456789abcdef", c)
	}
	return v
}

// The kernel's reader is C; so is cpio(1), where there is one.
func TestReadableByCpio(t *testing.T) {
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Skip("SKIPPED: no cpio on this machine; apt-get install cpio to have its word too (TestLayout checks the same bytes)")
	}
	cmd := exec.Command("cpio", "-tv", "--quiet")
	cmd.Stdin = bytes.NewReader(archive(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "-rw-------   1 root     root            5 Jan  1  1970 a/b/c") {
		t.Errorf("cpio says %v:\n%s", err, out)
	}
}
