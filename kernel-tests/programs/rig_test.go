package programs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

func TestMain(m *testing.M) {
	roleOf()
	if os.Geteuid() != 0 || os.Getenv("CASSINI_BINARY") == "" {
		fmt.Println("PROGRAM TESTS NOT RUN: they need root and the binary. Run them with: sudo -E make test-programs")
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" && os.Getenv("CASSINI_BINARY") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: never came", what)
}

// program is a child process whose output is kept.
type program struct {
	*exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// launch starts a program that is ended with the test.
func launch(t testing.TB, attr *syscall.SysProcAttr, dir, name string, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(name, args...)}
	p.Stdout, p.Stderr, p.Dir, p.SysProcAttr = p, p, dir, attr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, p.output())
		}
	})
	return p
}

func (p *program) stop(signal syscall.Signal) {
	if p.ProcessState == nil {
		_ = p.Process.Signal(signal)
		_ = p.Wait()
	}
}

// cassini is a running Cassini.
type cassini struct {
	*program
	t       testing.TB
	api     string
	dataDir string
}

func startCassini(t testing.TB, dataDir string) *cassini {
	t.Helper()
	listen := undertest.Addr(t)
	c := &cassini{t: t, api: "http://" + listen, dataDir: dataDir}
	c.program = launch(t, nil, "", os.Getenv("CASSINI_BINARY"), "run", "--data-dir", dataDir, "--listen", listen)
	eventually(t, "ready", func() bool {
		if c.ProcessState != nil {
			t.Fatalf("cassini ended: %s", c.output())
		}
		return exec.Command("curl", "-sf", "-o", "/dev/null", c.api+"/-/ready").Run() == nil
	})
	return c
}

// ask runs a client command with -o json and decodes its answer.
func ask[T any](c *cassini, args ...string) []T {
	c.t.Helper()
	cmd := exec.Command(os.Getenv("CASSINI_BINARY"), append(args, "-o", "json", "--api", c.api)...)
	out, err := cmd.Output()
	if err != nil {
		c.t.Fatalf("cassini %v: %v", args, err)
	}
	var answer []T
	if err := json.Unmarshal(out, &answer); err != nil {
		c.t.Fatalf("cassini %v printed %q: %v", args, out, err)
	}
	return answer
}

// service waits for the service on a port in a state.
func (c *cassini) service(port int, state string) model.Service {
	c.t.Helper()
	var found model.Service
	eventually(c.t, fmt.Sprintf("port %d %s", port, state), func() bool {
		for _, s := range ask[model.Service](c, "services") {
			if int(s.Port) == port && s.State == state {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// dependency waits for the dependency of a client program on a port.
func (c *cassini) dependency(client string, port int, ok func(model.DependencyView) bool) model.DependencyView {
	c.t.Helper()
	var found model.DependencyView
	var others []model.DependencyView
	defer func() {
		if c.t.Failed() {
			c.t.Logf("on that port: %+v", others)
		}
	}()
	eventually(c.t, fmt.Sprintf("%s on port %d", client, port), func() bool {
		others = nil
		for _, d := range ask[model.DependencyView](c, "deps") {
			if int(d.Port) != port {
				continue
			}
			if filepath.Base(d.Client.Exe) == client && ok(d) {
				found = d
				return true
			}
			others = append(others, d)
		}
		return false
	})
	return found
}

func startNginx(t *testing.T, port int) *program {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
server { listen 127.0.0.1:%[2]d; location / { return 200 "ok\n"; } } }`, dir, port)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, nil, dir, "/usr/sbin/nginx", "-c", path)
	eventually(t, "nginx", func() bool { return answers(port) })
	return p
}

func answers(port int) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// startPostgres runs PostgreSQL as the user that its package made.
func startPostgres(t *testing.T, port int) (*program, string) {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		t.Fatalf("PostgreSQL is not installed: %v", err)
	}
	bin := found[len(found)-1]
	dir, err := os.MkdirTemp("", "cassini-postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	uid, gid := idOf(t, "-u"), idOf(t, "-g")
	if err := os.Chown(dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(bin+"/initdb", "-D", data, "-A", "trust", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	p := launch(t, as, dir, bin+"/postgres", "-D", data, "-p", strconv.Itoa(port), "-k", dir, "-h", "127.0.0.1")
	eventually(t, "PostgreSQL", func() bool { return strings.Contains(p.output(), "ready to accept connections") })
	return p, bin
}

func idOf(t *testing.T, flag string) int {
	t.Helper()
	out, err := exec.Command("id", flag, "postgres").Output()
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
