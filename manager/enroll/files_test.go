package enroll

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustAddr(t *testing.T, text string) netip.Addr {
	t.Helper()
	addr, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// TestAuthorityStays opens one again: the same authority, another token of this machine.
func TestAuthorityStays(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, start)
	pin := a.Pin()
	old, _ := os.ReadFile(filepath.Join(dir, TokenFile))
	_ = a.Close()
	b := open(t, dir, start.Add(time.Hour))
	if b.Pin() != pin {
		t.Error("the authority is another")
	}
	if _, err := b.Bearer(string(old[:len(old)-1]), start); !errors.Is(err, ErrUnknown) {
		t.Errorf("the token of before: %v", err)
	}
	_ = b.Close()
	if err := RemoveLocalToken(dir); err != nil {
		t.Error(err)
	}
	if err := RemoveLocalToken(dir); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestBadFiles(t *testing.T) {
	good := t.TempDir()
	_ = open(t, good, start).Close()
	other := t.TempDir()
	_ = open(t, other, start).Close()
	read := func(path string) []byte {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	ca, alien := read(filepath.Join(good, CAFile)), read(filepath.Join(other, CertFile))
	for name, tc := range map[string]struct {
		content []byte
		now     time.Time
		want    error
	}{
		"empty":            {nil, start, ErrDamaged},
		"noise":            {[]byte("noise"), start, ErrDamaged},
		"half":             {ca[:len(ca)/2], start, ErrDamaged},
		"without the key":  {read(filepath.Join(good, CertFile)), start, ErrDamaged},
		"another's":        {append(ca[:len(ca):len(ca)], alien...), start, ErrDamaged},
		"after its end":    {ca, start.Add(caLife), ErrExpired},
		"just before that": {ca, start.Add(caLife - 1), nil},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, CAFile), tc.content, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := Open(Config{Dir: dir, Host: "manager"}, tc.now)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if err == nil {
			_ = a.Close()
		}
	}
}

func TestOutsideFiles(t *testing.T) {
	dir := t.TempDir()
	_ = open(t, dir, start).Close()
	ca := filepath.Join(dir, CAFile) // key and certificate in one
	for name, tc := range map[string]struct {
		files Files
		ok    bool
	}{
		"none":         {Files{}, true},
		"all":          {Files{Cert: ca, Key: ca, ClientCA: ca, IDs: []string{"dns:{host}"}}, true},
		"a bad rule":   {Files{ClientCA: ca, IDs: []string{"x"}}, false},
		"only a rule":  {Files{IDs: []string{"dns:{host}"}}, false},
		"key missing":  {Files{Cert: ca}, false},
		"no such file": {Files{Cert: "/nonexistent", Key: ca}, false},
		"no authority": {Files{ClientCA: "/dev/null"}, false},
	} {
		o, err := tc.files.read()
		if (err == nil) != tc.ok || err == nil && (o.cert != nil) != (tc.files.Cert != "") {
			t.Errorf("%s: got %v, %v", name, o, err)
		}
	}
	if _, err := Open(Config{Dir: t.TempDir(), Host: "m", Names: []string{"a b"}}, start); !errors.Is(err, ErrInvalid) {
		t.Errorf("bad name: %v", err)
	}
}

// shown is the certificate that the manager shows on a new connection.
func shown(t *testing.T, cfg *tls.Config) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	server := tls.Server(far, cfg)
	served := make(chan error, 1)
	go func() { served <- errors.Join(server.Handshake(), far.Close()) }() // ends with the handshake
	client := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	_, _ = near.Read(make([]byte, 1<<16)) // session tickets
	_ = near.Close()
	<-served
	return client.ConnectionState().PeerCertificates[0].Raw
}

// TestFilesAreReadAgain takes a renewed certificate into use without a new listener.
func TestFilesAreReadAgain(t *testing.T) {
	a := open(t, t.TempDir(), start)
	other := t.TempDir()
	_ = open(t, other, start).Close()
	ca := filepath.Join(other, CAFile)
	cfg := a.TLS(func() time.Time { return start })
	own := shown(t, cfg)
	if err := a.ReadFiles(Files{Cert: ca, Key: ca}); err != nil {
		t.Fatal(err)
	}
	renewed := shown(t, cfg)
	if bytes.Equal(own, renewed) {
		t.Error("the certificate before is shown")
	}
	if err := a.ReadFiles(Files{Cert: "/nonexistent", Key: ca}); err == nil {
		t.Error("a file that is not there was read")
	}
	if !bytes.Equal(shown(t, cfg), renewed) {
		t.Error("after an error another is shown")
	}
}
