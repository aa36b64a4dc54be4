// Package good has tests that pass, one that skips, and prints what the harness
// collects.
package good

import (
	"net"
	"os"
	"os/user"
	"testing"
)

func TestLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
		_ = l.Close()
	}
}

func TestFileSystems(t *testing.T) {
	for _, path := range []string{
		"/proc/self/status", "/sys/kernel/btf/vmlinux", "/sys/fs/cgroup/cgroup.controllers", "/sys/kernel/tracing/events/sock",
		"/sys/kernel/security/lsm", "/sys/fs/bpf", "/dev/null", "/dev/shm", "/tmp", "/run", "/var",
	} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestRoot(t *testing.T) {
	me, err := user.Current()
	if err != nil || me.Username != "root" || os.Getenv("CASSINI_VM") == "" {
		t.Errorf("%+v, %v, CASSINI_VM=%q", me, err, os.Getenv("CASSINI_VM"))
	}
}

func TestSub(t *testing.T) {
	t.Run("one", func(t *testing.T) {})
	t.Run("two", func(t *testing.T) {
		t.Log(`CASSINI-HOOK fact="tcp connect, listen, close" hook=tp_btf/inet_sock_set_state`)
	})
}

func TestSkipped(t *testing.T) { t.Skip("skipped on purpose: this is what the harness is tested with") }
