package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// serve runs a server command whose server is fn.
func serve(t *testing.T, name string, fn serveFunc, args ...string) result {
	t.Helper()
	if fn == nil {
		fn = func(context.Context, serveConfig) error {
			t.Error("the server must not start")
			return nil
		}
	}
	sys, stdout, stderr := sandbox(nil, map[string]serveFunc{name: fn})
	code := execute(t.Context(), append([]string{name, "--config", writeFile(t, "")}, args...), sys)
	return result{code, stdout.String(), stderr.String()}
}

func TestServersGetTheirSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	for _, name := range []string{"run", "agent", "manager"} {
		var got serveConfig
		args := []string{"--listen", "127.0.0.1:0", "--data-dir", dir, "--log-format", "json"}
		if name == "agent" {
			args = append(args, "--manager", "http://127.0.0.1:7")
		}
		result := serve(t, name, func(_ context.Context, cfg serveConfig) error {
			got = cfg
			return cfg.Listener.Close()
		}, args...)
		if result.code != 0 || got.DataDir != dir || got.Host == "" || got.Start != now || got.Listener == nil {
			t.Errorf("%s: exit code %d, %+v: %s", name, result.code, got, result.stderr)
		}
		if name == "agent" && got.Manager != "http://127.0.0.1:7" {
			t.Errorf("manager is %q", got.Manager)
		}
		if !strings.HasPrefix(result.stderr, `{"time":`) {
			t.Errorf("want a log in JSON, got %s", result.stderr)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v", info, err)
	}
}

func TestServerFails(t *testing.T) {
	got := serve(t, "run", func(context.Context, serveConfig) error { return errors.New("no BTF\nuse another kernel") }, "--listen", "127.0.0.1:0", "--data-dir", t.TempDir())
	if got.code != 1 || !strings.HasSuffix(got.stderr, "cassini run: no BTF\nuse another kernel\n") {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dir := filepath.Join(t.TempDir(), "untouched")
	got := serve(t, "run", nil, "--listen", l.Addr().String(), "--data-dir", dir)
	want := "cassini run: port " + port + " of 127.0.0.1 is in use, perhaps by another Cassini; stop that one, or choose another port with --listen 127.0.0.1:PORT or CASSINI_LISTEN\n"
	if got.code != 1 || got.stderr != want {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the port is bound before anything is written")
	}
}

func TestBadDataDir(t *testing.T) {
	file := writeFile(t, "")
	for dir, want := range map[string]string{
		file:                 "is a file; choose another with --data-dir",
		file + "/below":      "is a file; choose another with --data-dir",
		"/proc/cassini/data": "choose another with --data-dir",
	} {
		got := serve(t, "run", nil, "--listen", "127.0.0.1:0", "--data-dir", dir)
		if got.code != 1 || !strings.Contains(got.stderr, "data directory "+dir+": ") || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", dir, got.code, got.stderr)
		}
	}
}

func TestExplainDataDir(t *testing.T) {
	for errno, want := range map[unix.Errno]string{
		unix.EACCES: "permission denied; run as root, or", unix.EROFS: "file system is read-only;",
		unix.ENOSPC: "no space left;", unix.EIO: "input/output error;",
	} {
		if got := explainDataDir("/d", errno).Error(); !strings.Contains(got, "data directory /d: ") || !strings.Contains(got, want) {
			t.Errorf("%v: %s", errno, got)
		}
	}
}

func TestCheckListen(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:1984": true, "127.8.9.1:0": true, "[::1]:1984": true, "localhost:1984": true, "[::ffff:127.0.0.1]:1": true,
		"0.0.0.0:1984": false, ":1984": false, "[::]:1984": false, "10.0.0.1:1984": false, "example.com:1984": false,
		"127.0.0.1": false, "127.0.0.1:99999": false, "": false, "127.0.0.1:-1": false,
	} {
		err := checkListen(address, false)
		if in := checkListen(address, true); (in == nil) != (ok || strings.HasSuffix(address, ":1984")) {
			t.Errorf("%q with --insecure: got %v", address, in)
		}
		if _, usage := errors.AsType[usageError](err); (err == nil) != ok || !ok && !usage {
			t.Errorf("%q: got %v", address, err)
		}
	}
}
