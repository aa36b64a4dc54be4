package enroll

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMomentsAreOfTheWall looks at moments that are compared with later ones: a machine that
// sleeps, or is moved, has another idea of how long ago they were.
func TestMomentsAreOfTheWall(t *testing.T) {
	now := time.Now()
	a := open(t, t.TempDir(), now)
	token(t, a, TokenRequest{Role: RoleViewer}, now)
	if err := a.Rotate(0, now); err != nil {
		t.Fatal(err)
	}
	moments := []time.Time{a.trust.Load().plan.Began, a.trust.Load().plan.Until, a.server.renew}
	if _, err := a.server.get(a.trust.Load(), mustAddr(t, "127.0.0.1"), now); err != nil {
		t.Fatal(err)
	}
	for _, token := range a.Tokens() {
		moments = append(moments, token.Created, token.Expires)
	}
	for _, at := range append(moments, a.server.renew) {
		if strings.Contains(at.String(), " m=") {
			t.Errorf("%v has the reading of another clock", at)
		}
	}
}

// TestFullDisk starts where nothing can be written: a directory in the place of what files are
// written to before they are renamed.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	viewer := token(t, a, TokenRequest{Role: RoleViewer}, start)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{TokenFile, CertFile, CAFile} {
		if err := os.Mkdir(filepath.Join(dir, name+".new"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a = open(t, dir, start)
	local, err := os.ReadFile(filepath.Join(dir, TokenFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{viewer, strings.TrimSpace(string(local))} {
		if _, err := a.Bearer(text, start); err != nil {
			t.Error(err)
		}
	}
	if n := len(a.Tokens()); n != 2 {
		t.Errorf("%d tokens", n)
	}
	if err := os.Remove(filepath.Join(dir, TokenFile)); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if a, err := Open(Config{Dir: dir, Host: "manager"}, start); err == nil {
		_ = a.Close()
		t.Error("it began without a token for this machine")
	}
}

// TestLostRecords begins where the authority is there and its records are not.
func TestLostRecords(t *testing.T) {
	for what, lose := range map[string]func(path string) error{
		"nothing": func(string) error { return nil },
		"removed": os.Remove,
		"emptied": func(path string) error { return os.Truncate(path, 0) },
	} {
		dir := t.TempDir()
		var said bytes.Buffer
		for range 2 {
			a, err := Open(Config{Dir: dir, Host: "manager", Logger: slog.New(slog.NewTextHandler(&said, nil))}, start)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(a.Close(), lose(filepath.Join(dir, StateFile))); err != nil {
				t.Fatal(err)
			}
		}
		if told := strings.Contains(said.String(), StateFile+" is missing or empty"); told != (what != "nothing") {
			t.Errorf("%s: %s", what, &said)
		}
	}
}

// TestDamagedRecords says what to do.
func TestDamagedRecords(t *testing.T) {
	dir := t.TempDir()
	if err := open(t, dir, start).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, StateFile), bytes.Repeat([]byte("?"), 1<<15), 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(Config{Dir: dir, Host: "manager"}, start)
	if err == nil {
		_ = a.Close()
	}
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("got %v", err)
	}
}
