package programs

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// The story of the first minute: a database that was there before, a web server
// that came after, their clients, and the end of one of them.
func TestServicesAndClients(t *testing.T) {
	dbPort, webPort := undertest.Port(t), undertest.Port(t)
	postgres, bin := startPostgres(t, dbPort)
	c := startCassini(t, t.TempDir())
	nginx := startNginx(t, webPort)

	db := c.service(dbPort, model.StateListening)
	if db.PID != postgres.Process.Pid || db.Exe != bin+"/postgres" || db.UID != "postgres" || db.GID != "postgres" || !db.SinceApprox {
		t.Errorf("PostgreSQL is %+v, want pid %d", db, postgres.Process.Pid)
	}
	web := c.service(webPort, model.StateListening)
	if web.PID != nginx.Process.Pid || !strings.HasSuffix(web.Exe, "/nginx") || web.UID != "root" || web.Cwd != nginx.Dir || web.SinceApprox || len(web.Cmdline) == 0 {
		t.Errorf("nginx is %+v, want pid %d in %s", web, nginx.Process.Pid, nginx.Dir)
	}
	for range 5 {
		run(t, "curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:"+strconv.Itoa(webPort)+"/")
	}
	for range 3 {
		run(t, bin+"/psql", "-h", "127.0.0.1", "-p", strconv.Itoa(dbPort), "-U", "postgres", "-c", "select 1", "postgres")
	}
	for _, want := range []struct {
		client string
		port   int
		server model.Service
		n      uint64
	}{{"curl", webPort, web, 5}, {"psql", dbPort, db, 3}} {
		d := c.dependency(want.client, want.port, func(d model.DependencyView) bool { return d.Connections == want.n })
		if d.Server.ID != want.server.ID || d.Server.PID != want.server.PID || d.Failed != 0 || len(d.SeenBy) != 2 || d.Client.PID == 0 {
			t.Errorf("%s: %+v, want service %s", want.client, d, want.server.ID)
		}
	}
	nginx.stop(syscall.SIGTERM)
	ended := c.service(webPort, model.StateEnded)
	if ended.ID != web.ID || ended.Ended == nil {
		t.Errorf("ended nginx is %+v", ended)
	}
	c.dependency("curl", webPort, func(d model.DependencyView) bool { return d.Connections == 5 }) // its history stays
}

func TestClientOfNobody(t *testing.T) {
	port := undertest.Port(t)
	c := startCassini(t, t.TempDir())
	_ = exec.Command("curl", "-s", "http://127.0.0.1:"+strconv.Itoa(port)).Run() // must fail
	d := c.dependency("curl", port, func(d model.DependencyView) bool { return d.Failed == 1 })
	if d.Refused != 1 || d.Connections != 0 {
		t.Errorf("dependency is %+v", d)
	}
}

// Killed at any moment, Cassini comes back with what it had shown, and doubles
// nothing.
func TestKilledAndRestarted(t *testing.T) {
	port, dir := undertest.Port(t), t.TempDir()
	nginx := startNginx(t, port)
	c := startCassini(t, dir)
	url := "http://127.0.0.1:" + strconv.Itoa(port) + "/"
	for range 4 {
		run(t, "curl", "-sf", "-o", "/dev/null", url)
	}
	c.dependency("curl", port, func(d model.DependencyView) bool { return d.Connections == 4 })
	before := c.service(port, model.StateListening)
	c.stop(syscall.SIGKILL)
	nginx.stop(syscall.SIGTERM) // nobody hears it

	c = startCassini(t, dir)
	after := c.service(port, model.StateEnded)
	if after.ID != before.ID || !after.Since.Equal(before.Since) {
		t.Errorf("service is %+v, was %+v", after, before)
	}
	c.dependency("curl", port, func(d model.DependencyView) bool { return d.Connections == 4 })
	startNginx(t, port)
	run(t, "curl", "-sf", "-o", "/dev/null", url)
	c.dependency("curl", port, func(d model.DependencyView) bool { return d.Connections == 5 })
}

func TestClearRefusals(t *testing.T) {
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	running := startCassini(t, t.TempDir())
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	hidden := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS} // mounts of its own
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	// /proc cannot be written to, whoever asks.
	for _, c := range []struct {
		name, dir, listen, want string
		attr                    *syscall.SysProcAttr
	}{
		{"port in use", t.TempDir(), taken.Addr().String(), "in use", nil},
		{"two on one directory", running.dataDir, undertest.Addr(t), "another", nil},
		{"directory cannot be made", "/proc/cassini", undertest.Addr(t), "/proc/cassini", nil},
		{"not loopback", t.TempDir(), "0.0.0.0:1984", "loopback", nil},
		{"no privileges", "/tmp/cassini-nobody", undertest.Addr(t), "root", nobody},
		{"no BTF", t.TempDir(), undertest.Addr(t), "CONFIG_DEBUG_INFO_BTF", hidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := `exec "$0" "$@"`
			if c.attr == hidden {
				script = "mount -t tmpfs none /sys/kernel/btf && " + script
			}
			cmd := exec.Command("/bin/sh", "-c", script, binaryFor(t, c.attr), "run", "--data-dir", c.dir, "--listen", c.listen)
			cmd.SysProcAttr = c.attr
			out, err := cmd.CombinedOutput()
			t.Cleanup(func() { _ = os.RemoveAll("/tmp/cassini-nobody") })
			if err == nil {
				t.Fatalf("it ran: %s", out)
			}
			if !strings.Contains(string(out), c.want) {
				t.Errorf("it says %q, want something of %q", out, c.want)
			}
		})
	}
}

// Without cgroup v2 TCP is captured, and doctor says what is lost (decisions 0007, 0015).
func TestWithoutCgroup2(t *testing.T) {
	script := `for m in $(awk '$3 == "cgroup2" { print $2 }' /proc/self/mounts); do mount -t tmpfs none "$m" || exit 1; done; exec "$0" doctor`
	cmd := exec.Command("/bin/sh", "-c", script, os.Getenv("CASSINI_BINARY"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	lost := strings.Contains(string(out), "systemd service") && strings.Contains(string(out), "UDP services and their clients")
	_, failed := errors.AsType[*exec.ExitError](err) // a fact is not served
	if !failed || !strings.Contains(string(out), "cgroup v2 is not mounted") || !lost {
		t.Errorf("doctor: %v: %s", err, out)
	}
}

// binaryFor is the binary, where another user may not read it a copy.
func binaryFor(t *testing.T, attr *syscall.SysProcAttr) string {
	t.Helper()
	if attr == nil {
		return os.Getenv("CASSINI_BINARY")
	}
	raw, err := os.ReadFile(os.Getenv("CASSINI_BINARY"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cassini-binary")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := dir + "/cassini"
	if err := os.WriteFile(path, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
