package programs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

// connections sums up what the clients of a port are told to have made.
func (c *cassini) connections(port int, proto string) (n uint64, clients []string) {
	c.t.Helper()
	for _, d := range ask[model.DependencyView](c, "deps") {
		if int(d.Port) == port && d.Proto == proto {
			n += d.Connections
			clients = append(clients, fmt.Sprintf("%s: %d", filepath.Base(d.Client.Exe), d.Connections))
		}
	}
	return n, clients
}

// agree waits until Cassini's count is what the program's own books say.
func (c *cassini) agree(port int, proto string, books func() uint64) {
	c.t.Helper()
	var n, want uint64
	var clients []string
	defer func() {
		if c.t.Failed() {
			c.t.Logf("Cassini has %d (%v), the program's own books %d", n, clients, want)
		}
	}()
	eventually(c.t, fmt.Sprintf("as many connections to port %d as the program counts", port), func() bool {
		want = books()
		n, clients = c.connections(port, proto)
		return n == want && n > 0
	})
}

// Redis counts its connections: those of its benchmark and of its client are all told.
func TestRedis(t *testing.T) {
	port := undertest.Port(t)
	c := startCassini(t, t.TempDir())
	p := launch(t, nil, t.TempDir(), "redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	cli := func(args ...string) string {
		out, err := exec.Command("redis-cli", append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(port)}, args...)...).Output()
		if err != nil {
			return ""
		}
		return string(out)
	}
	eventually(t, "Redis", func() bool { return strings.HasPrefix(cli("ping"), "PONG") })
	run(t, "redis-benchmark", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-c", "7", "-n", "200", "-t", "set,get", "-q")
	if s := c.service(port, model.StateListening); s.PID != p.Process.Pid || s.Program() != "redis-server" { // Debian's is a link to redis-check-rdb
		t.Errorf("Redis is %+v", s)
	}
	received := func() (n uint64) { // the question is a connection, too
		for line := range strings.Lines(cli("info", "stats")) {
			if _, err := fmt.Sscanf(line, "total_connections_received:%d", &n); err == nil {
				return n
			}
		}
		return 0
	}
	want := received()
	c.agree(port, "tcp", func() uint64 { return want })
}

// nginx with workers that have sockets of their own is one service; each connection is in
// the access log.
func TestWorkers(t *testing.T) {
	dir, port := t.TempDir(), undertest.Port(t)
	c := startCassini(t, t.TempDir())
	conf := fmt.Sprintf(`daemon off; worker_processes 4; pid %[1]s/pid; error_log %[1]s/error.log; events {}
http { access_log %[1]s/access.log; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
server { listen 127.0.0.1:%[2]d reuseport; location / { return 200 "ok\n"; } } }`, dir, port)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, nil, dir, "/usr/sbin/nginx", "-c", path)
	url := "http://127.0.0.1:" + strconv.Itoa(port) + "/"
	eventually(t, "nginx", func() bool { return exec.Command("curl", "-sf", "-o", "/dev/null", url).Run() == nil })
	for range 40 {
		run(t, "curl", "-sf", "-o", "/dev/null", url)
	}
	c.agree(port, "tcp", func() uint64 { return lines(t, filepath.Join(dir, "access.log"), "GET /") })
	if s := c.service(port, model.StateListening); s.PID != p.Process.Pid {
		t.Errorf("the service is of pid %d, the master is %d", s.PID, p.Process.Pid)
	}
	n := 0
	for _, s := range ask[model.Service](c, "services") {
		if int(s.Port) == port && s.State == model.StateListening {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d services on one port", n)
	}
}

// lines counts those of a file that contain a text.
func lines(t *testing.T, path, text string) (n uint64) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// dnsmasq logs each question; dig asks each from a socket of its own.
func TestNameServer(t *testing.T) {
	dir, port := t.TempDir(), undertest.Port(t)
	c := startCassini(t, t.TempDir())
	log := filepath.Join(dir, "log")
	p := launch(t, nil, dir, "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port="+strconv.Itoa(port), "--no-resolv", "--no-hosts",
		"--listen-address=127.0.0.1", "--bind-interfaces", "--address=/cassini.test/192.0.2.1", "--log-queries", "--log-facility="+log, "--user=root", "--pid-file="+filepath.Join(dir, "pid"))
	question := func() ([]byte, error) {
		return exec.Command("dig", "+short", "+tries=1", "+time=2", "@127.0.0.1", "-p", strconv.Itoa(port), "www.cassini.test").Output()
	}
	eventually(t, "dnsmasq", func() bool { out, err := question(); return err == nil && strings.HasPrefix(string(out), "192.0.2.1") })
	for range 25 {
		if out, err := question(); err != nil || !strings.HasPrefix(string(out), "192.0.2.1") {
			t.Fatalf("dig says %q, %v", out, err)
		}
	}
	c.agree(port, "udp", func() uint64 { return lines(t, log, "query[A] www.cassini.test") })
	d := c.dependency("dig", port, func(d model.DependencyView) bool { return d.Proto == "udp" })
	if d.Server.PID != p.Process.Pid || filepath.Base(d.Server.Exe) != "dnsmasq" || len(d.SeenBy) != 2 {
		t.Errorf("dig depends on %+v", d)
	}
}

// chronyd asks another chronyd for the time, from a new socket each time; the server counts
// packets. Neither touches the clock.
func TestTimeServer(t *testing.T) {
	if _, err := exec.LookPath("chronyd"); err != nil {
		t.Skip("NOT TRIED: no chronyd here, and tools/setup does not put it in place of another program for the time. Install chrony to try.")
	}
	port := undertest.Port(t)
	c := startCassini(t, t.TempDir())
	dir, err := os.MkdirTemp("", "chrony") // a socket's path may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	conf := func(name, text string) string {
		path := filepath.Join(dir, name+".conf")
		if err := os.WriteFile(path, []byte(text+"\npidfile "+filepath.Join(dir, name+".pid")+"\ncmdport 0\nbindcmdaddress "+filepath.Join(dir, name+".sock")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	server := conf("server", fmt.Sprintf("port %d\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 3", port))
	client := conf("client", fmt.Sprintf("server 127.0.0.1 port %d iburst minpoll 0 maxpoll 0\nport 0", port))
	s := launch(t, nil, dir, "chronyd", "-d", "-x", "-u", "root", "-f", server)
	c.service(port, model.StateListening)
	ask := launch(t, nil, dir, "chronyd", "-d", "-x", "-u", "root", "-f", client)
	received := func() (n uint64) {
		out, err := exec.Command("chronyc", "-h", filepath.Join(dir, "server.sock"), "serverstats").Output()
		if err != nil {
			return 0
		}
		for line := range strings.Lines(string(out)) {
			if _, err := fmt.Sscanf(line, "NTP packets received       : %d", &n); err == nil {
				return n
			}
		}
		return 0
	}
	eventually(t, "five questions for the time", func() bool { return received() >= 5 })
	ask.stop(syscall.SIGTERM)
	c.agree(port, "udp", received)
	d := c.dependency("chronyd", port, func(d model.DependencyView) bool { return d.Proto == "udp" })
	if d.Server.PID != s.Process.Pid || d.Client.PID != ask.Process.Pid || len(d.SeenBy) != 2 {
		t.Errorf("chronyd depends on %+v, want pid %d on pid %d", d, ask.Process.Pid, s.Process.Pid)
	}
}

// HTTP/3 by quic-go: each client has a connection of its own, which the server counts, and a
// million bytes take a little more than that on their way.
func TestHTTP3(t *testing.T) {
	t.Setenv("CASSINI_UDP_BYTES", "true")
	port := undertest.Port(t)
	c := startCassini(t, t.TempDir())
	binary := filepath.Join(t.TempDir(), "http3")
	build := exec.Command("go", "build", "-C", "testdata/http3", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the server: %v\n%s", err, out)
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	p := launch(t, nil, "", binary, "serve", address)
	var counted uint64
	get := func() bool {
		out, err := exec.Command(binary, "get", address, "/connections").Output()
		if err != nil {
			return false
		}
		counted, err = strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
		return err == nil
	}
	c.service(port, model.StateListening)
	for range 12 {
		if !get() {
			t.Fatalf("HTTP/3 does not answer: %s", p.output())
		}
	}
	c.agree(port, "udp", func() uint64 { return counted })
	d := c.dependency("http3", port, func(d model.DependencyView) bool { return d.Proto == "udp" })
	if d.Server.PID != p.Process.Pid || len(d.SeenBy) != 2 {
		t.Errorf("the client depends on %+v", d)
	}
	before := d.BytesReceived
	if out, err := exec.Command(binary, "get", address, "/million").Output(); err != nil || len(out) != 1_000_000 {
		t.Fatalf("%d bytes of a million: %v", len(out), err)
	}
	c.dependency("http3", port, func(d model.DependencyView) bool {
		moved := d.BytesReceived - before
		return d.Proto == "udp" && moved > 1_000_000 && moved < 1_300_000
	})
}
