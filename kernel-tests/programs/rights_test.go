package programs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

// rights are the capabilities that a unit gives.
func rights(t *testing.T, unit string) (caps []uintptr) {
	t.Helper()
	raw, err := os.ReadFile("../../tools/systemd/" + unit)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uintptr{
		"CAP_BPF": unix.CAP_BPF, "CAP_PERFMON": unix.CAP_PERFMON, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN,
		"CAP_NET_RAW": unix.CAP_NET_RAW, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE, "CAP_DAC_READ_SEARCH": unix.CAP_DAC_READ_SEARCH,
	}
	for line := range strings.Lines(string(raw)) {
		if list, ok := strings.CutPrefix(line, "AmbientCapabilities="); ok {
			for _, name := range strings.Fields(list) {
				number, known := numbers[name]
				if !known {
					t.Fatalf("%s asks for %s", unit, name)
				}
				caps = append(caps, number)
			}
		}
	}
	return caps
}

const nobody = 65534

// shut is how a unit starts Cassini: not as root, with few rights.
func shut(t *testing.T) (attr *syscall.SysProcAttr, dir, binary string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cassini-rights") // that of the test is for its owner alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	binary = filepath.Join(dir, "cassini")
	in, err := os.Open(os.Getenv("CASSINI_BINARY"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(binary, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{}},
		AmbientCaps: rights(t, "cassini-agent.service"),
	}, dir, binary
}

// TestNotRoot runs the agent with the rights of its unit and no other: it sees what was there
// before and what comes, with owners, and tells systemd that it is ready.
func TestNotRoot(t *testing.T) {
	attr, dir, binary := shut(t)
	notify := filepath.Join(dir, "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notify, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	if err := os.Chmod(notify, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", notify)
	before, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	listen := undertest.Addr(t)
	c := &cassini{t: t, api: "http://" + listen, dataDir: filepath.Join(dir, "data")}
	c.program = launch(t, attr, dir, binary, "run", "--config", os.DevNull, "--data-dir", c.dataDir, "--listen", listen)
	heard(t, systemd, "READY=1")
	after, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for what, l := range map[string]net.Listener{"before": before, "after": after} {
		s := c.service(l.Addr().(*net.TCPAddr).Port, "listening")
		if s.PID != os.Getpid() || s.Exe != exe || s.Cwd != wd || s.UID != "root" {
			t.Errorf("%s: %+v", what, s)
		}
	}
	c.stop(syscall.SIGTERM)
	heard(t, systemd, "STOPPING=1")
}

// heard waits until systemd is told something.
func heard(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	if err := l.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 4096); ; {
		n, err := l.Read(buf)
		if err != nil {
			t.Fatalf("systemd was not told %q: %v", want, err)
		}
		if strings.Contains(string(buf[:n]), want) {
			return
		}
	}
}

// TestDoctorTellsWhatRightsAreMissing compares with what root sees.
func TestDoctorTellsWhatRightsAreMissing(t *testing.T) {
	attr, dir, binary := shut(t)
	diagnose := func(attr *syscall.SysProcAttr) map[string]model.Hook {
		cmd := exec.Command(binary, "doctor", "-o", "json", "--config", os.DevNull)
		cmd.SysProcAttr, cmd.Dir = attr, dir
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		var list []model.Hook
		if err := json.Unmarshal(out, &list); err != nil {
			t.Fatalf("%v: %s%s", err, out, said.String())
		}
		if err != nil {
			t.Log(fmt.Errorf("doctor: %w", err)) // a fact that this kernel does not serve
		}
		hooks := map[string]model.Hook{}
		for _, h := range list {
			hooks[h.Fact] = h
		}
		return hooks
	}
	root, few := diagnose(nil), diagnose(attr)
	for fact, h := range root {
		got := few[fact]
		if fact == "other network namespaces of this host" {
			if !h.First || got.First || !strings.Contains(got.Reason, "CAP_SYS_ADMIN") {
				t.Errorf("%s: root %+v, few rights %+v", fact, h, got)
			}
			continue
		}
		if got != h {
			t.Errorf("%s: root %+v, few rights %+v", fact, h, got)
		}
	}
}
