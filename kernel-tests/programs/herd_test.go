package programs

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"
	"cassini/model"
)

// job copies curl to a path of its own: a program that nothing else runs.
func job(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("/usr/bin/curl")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "job")
	if err := os.WriteFile(path, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// logging runs an nginx whose log has a line for each request, with the number of its
// connection. wrap comes before its command line.
func logging(t *testing.T, listen string, wrap ...string) (connections func() int) {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http { log_format c '$connection'; access_log %[1]s/access.log c; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;
uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; server { listen %[2]s; location / { return 200 "ok\n"; } } }`, dir, listen)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	line := append(wrap, "/usr/sbin/nginx", "-c", path)
	launch(t, nil, dir, line[0], line[1:]...)
	eventually(t, "nginx", func() bool {
		_, err := os.Stat(filepath.Join(dir, "pid"))
		return err == nil
	})
	return func() int {
		raw, err := os.ReadFile(filepath.Join(dir, "access.log"))
		if err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]bool)
		for line := range strings.Lines(string(raw)) {
			seen[line] = true
		}
		return len(seen)
	}
}

// cgroup2 is where the cgroup v2 is mounted.
func cgroup2(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[2] == "cgroup2" {
			return fields[1]
		}
	}
	t.Fatal("no cgroup v2")
	return ""
}

// live runs a command in a cgroup of its own, which goes with it.
func live(t *testing.T, name string, cmd *exec.Cmd, meanwhile func(*exec.Cmd)) {
	dir := filepath.Join(cgroup2(t), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Error(err)
		return
	}
	defer func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	}()
	at, err := os.Open(dir)
	if err != nil {
		t.Error(err)
		return
	}
	defer at.Close()
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(at.Fd())
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return
	}
	meanwhile(cmd)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v: %s", name, err, out.String())
	}
}

// get asks the API.
func get[T any](c *cassini, path string) (answer T) {
	c.t.Helper()
	resp, err := http.Get(c.api + "/api/v1/" + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(raw, &answer) != nil {
		c.t.Fatalf("%s: %v: %s", path, err, raw)
	}
	return answer
}

type figures struct {
	Capture model.CaptureStats `json:"capture"`
}

// herdIs waits until the graph shows a program as one node with so many lives, all ended,
// and as many connections as its server has logged. Few documents must have told it.
func herdIs(t *testing.T, c *cassini, exe string, port, lives int, logged func() int) {
	t.Helper()
	d := c.dependency("job", port, func(d model.DependencyView) bool {
		if int(d.Connections) > logged() {
			t.Fatalf("%d connections, and the server has logged %d", d.Connections, logged())
		}
		return int(d.Connections) == logged()
	})
	if d.Failed != 0 || filepath.Base(d.Server.Exe) != "nginx" {
		t.Errorf("%+v", d)
	}
	var nodes []model.Node
	eventually(t, "all lives ended", func() bool {
		nodes = get[[]model.Node](c, "nodes?kind=process&q="+exe)
		if len(nodes) != 1 {
			t.Fatalf("%d nodes for one program: %v", len(nodes), nodes)
		}
		return nodes[0].Attrs["alive"] == 0.0
	})
	for name, want := range map[string]float64{"lives": float64(lives), "births": float64(lives), "deaths": float64(lives)} {
		if got := nodes[0].Attrs[name]; got != want {
			t.Errorf("%s: %v, want %v; %v", name, got, want, nodes[0].Attrs)
		}
	}
	dependencies, documents := 0, []string{}
	for _, d := range get[[]model.DependencyView](c, "dependencies") {
		if int(d.Port) == port {
			dependencies++
		}
	}
	for _, d := range get[[]model.Document](c, "documents?package=dependencies") {
		if strings.Contains(d.Key, ":"+strconv.Itoa(port)+"/tcp") {
			documents = append(documents, d.Key)
		}
	}
	if dependencies != 1 || len(documents) != 2 { // the client's end and the server's
		t.Errorf("%d dependencies of documents %q", dependencies, documents)
	}
	var group model.FunctionalGroup
	if group = get[model.FunctionalGroup](c, "group?name="+exe); group.Births != uint64(lives) || group.Deaths != uint64(lives) || int(group.Dialled.Connections) != logged() {
		t.Errorf("the group %+v", group)
	}
}

// Three hundred jobs, each in a cgroup of its own as a run of a unit or a container is, are
// one client with three hundred lives, and every connection that the server logged counts.
func TestHerdOfJobs(t *testing.T) {
	const jobs, each, atOnce = 300, 3, 8
	exe, port := job(t), undertest.Port(t)
	logged := logging(t, "127.0.0.1:"+strconv.Itoa(port))
	c := startCassini(t, t.TempDir())
	before := get[figures](c, "status").Capture.Lives.Released
	// kept is how many edges of so many jobs are still in the kernel: others' make no difference.
	kept := func(jobs int) int { return jobs - int(get[figures](c, "status").Capture.Lives.Released-before) }
	most := 0
	var workers sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		workers.Go(func() {
			for i := range next {
				urls := make([]string, each)
				for n := range urls {
					urls[n] = fmt.Sprintf("http://127.0.0.1:%d/%d", port, n)
				}
				cmd := exec.Command(exe, append([]string{"-sf", "-H", "Connection: close"}, urls...)...)
				cmd.SysProcAttr = &syscall.SysProcAttr{}
				live(t, fmt.Sprintf("cassini-job-%d-%d", os.Getpid(), i), cmd, func(*exec.Cmd) {})
			}
		})
	}
	for i := range jobs {
		next <- i
		if i%50 == 49 {
			most = max(most, kept(i+1))
		}
	}
	close(next)
	workers.Wait()
	eventually(t, "all connections in the server's log", func() bool { return logged() == jobs*each }) // it writes after it has answered
	herdIs(t, c, exe, port, jobs, logged)
	// Places in the kernel's map are freed as lives end, though nobody asks for counters. Some
	// kernels hide a close now and then, for which the edge waits.
	if after := kept(jobs); most > jobs/3 || after > jobs/3 {
		t.Errorf("edges that the kernel keeps: at most %d, %d after %d lives", most, after, jobs)
	}
	entries := get[[]struct {
		Document model.Document `json:"document"`
	}](c, "history?limit=10000&package=dependencies&host="+hostname(t))
	told := 0
	for _, e := range entries {
		if strings.Contains(e.Document.Key, exe) {
			told++
		}
	}
	if told > 10 {
		t.Errorf("%d documents in the log about one dependency", told)
	}
}

// Containers with a network namespace each, one after the other at one address, are one.
func TestHerdOfContainers(t *testing.T) {
	const containers = 12
	exe, name := job(t), fmt.Sprintf("cassini-herd-%d", os.Getpid())
	run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", name) })
	// An address of its own: else it is that of a port, and changes when one goes.
	run(t, "ip", "-n", name, "link", "add", "br0", "address", "02:00:00:66:00:01", "type", "bridge")
	run(t, "ip", "-n", name, "addr", "add", "10.66.0.1/24", "dev", "br0")
	run(t, "ip", "-n", name, "link", "set", "br0", "up")
	logged := logging(t, "10.66.0.1:8066", "ip", "netns", "exec", name)
	c := startCassini(t, t.TempDir())
	for i := range containers {
		cmd := exec.Command("/bin/sh", "-c", `read go; exec "$0" -sf http://10.66.0.1:8066/`, exe)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET}
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		live(t, fmt.Sprintf("%s-%d", name, i), cmd, func(cmd *exec.Cmd) {
			pid := strconv.Itoa(cmd.Process.Pid)
			// All have one hardware address: who came a moment before is in the server's table.
			run(t, "ip", "-n", name, "link", "add", "v"+pid, "type", "veth", "peer", "name", "eth0", "address", "02:00:00:00:66:02", "netns", pid)
			run(t, "ip", "-n", name, "link", "set", "v"+pid, "master", "br0", "up")
			run(t, "nsenter", "-t", pid, "-n", "ip", "addr", "add", "10.66.0.2/24", "dev", "eth0")
			run(t, "nsenter", "-t", pid, "-n", "ip", "link", "set", "eth0", "up")
			_, _ = io.WriteString(stdin, "go\n")
			_ = stdin.Close()
		})
		// The kernel lets go of a namespace when it has time; until then the old one would answer at the address.
		_ = exec.Command("ip", "-n", name, "link", "del", fmt.Sprintf("v%d", cmd.Process.Pid)).Run() // it may have gone
	}
	eventually(t, "all connections in the server's log", func() bool { return logged() == containers }) // it writes after it has answered
	herdIs(t, c, exe, 8066, containers, logged)
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
