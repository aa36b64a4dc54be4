// Package frames tries the hearing of LLDP and CDP on the running kernel: hosts
// and switches are network namespaces, cables are veth pairs, and the switches speak
// by Debian's lldpd.
package frames

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/agent/frames"
	"cassini/agent/frames/socket"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/kernel-tests/undertest"
	"cassini/manager/graph"
	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	undertest.NeedRoot("FRAME", "test-privileged")
	goleak.VerifyTestMain(m)
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// prefix makes names of namespaces unique to this run.
func prefix() string { return fmt.Sprintf("cassini-%d-", os.Getpid()) }

// machine makes a network namespace that stands for a machine, until the test ends.
func machine(t testing.TB, name string) string {
	ns := prefix() + name
	ip(t, "netns add "+ns)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	return ns
}

// cable joins two machines; both ends are up.
func cable(t testing.TB, a, aName, b, bName string) {
	ip(t, fmt.Sprintf("-n %s link add %s type veth peer name %s netns %s", a, aName, bName, b))
	ip(t, fmt.Sprintf("-n %s link set %s up", a, aName))
	ip(t, fmt.Sprintf("-n %s link set %s up", b, bName))
}

// speak runs lldpd in a machine until the test ends: once a second, with ports named
// by interface.
func speak(t testing.TB, ns, name string, flags ...string) {
	t.Helper()
	speakWith(t, ns, name, "", flags...)
}

// speakWith is speak with more lines of lldpd's configuration.
func speakWith(t testing.TB, ns, name, more string, flags ...string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "lldpd") // open to the user that lldpd becomes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	settings := "configure system hostname " + name + "\nconfigure lldp portidsubtype ifname\nconfigure lldp tx-interval 1\n" + more
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(filepath.Join(dir, "lldpd.conf"), []byte(settings), 0o644)); err != nil {
		t.Fatal(err)
	}
	args := []string{"netns", "exec", ns, "lldpd", "-d", "-u", filepath.Join(dir, "lldpd.socket"), "-O", filepath.Join(dir, "lldpd.conf"),
		"-S", "made of a namespace", "-I", "p*"}
	cmd := exec.Command("ip", append(args, flags...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("lldpd of %s printed:\n%s", ns, log.String())
		}
	})
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: never came", what)
}

// run runs loops until the test ends, or stop is called.
func run(t testing.TB, loops ...func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, loop := range loops {
		running.Go(func() {
			if err := loop(ctx); err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// estate is a graph that is fed by one agent for each namespace, as if each were a
// machine.
type estate struct {
	*graph.Graph
	t     testing.TB
	close func() // ends the listening

	mu      sync.Mutex
	hosts   map[string]*frames.Frames // by namespace
	filters map[string]*bpf.Frames    // likewise
	seen    []model.Event
	count   int
}

// newEstate listens in the namespaces of the test that hosts names, until the test
// ends.
func newEstate(t testing.TB, hosts ...string) *estate {
	t.Helper()
	e := &estate{Graph: graph.New(graph.Limits{}), t: t, hosts: make(map[string]*frames.Frames), filters: make(map[string]*bpf.Frames)}
	var loops []func(context.Context) error
	for _, ns := range hosts {
		f := frames.New(frames.Config{
			Host: strings.TrimPrefix(ns, prefix()), Emit: e.emit, Logger: slog.New(slog.DiscardHandler),
			Open: func(at netns.Namespace) (frames.Socket, error) { return e.open(ns, at) },
		})
		f.Publish(nil)
		e.hosts[ns] = f
		loops = append(loops, f.Run)
	}
	links := netconf.New(netconf.Config{Host: "all", Emit: func(...model.Document) {}, Logger: slog.New(slog.DiscardHandler), Links: e.link})
	e.close = run(t, append(loops, links.Run)...)
	<-links.Ready()
	return e
}

// open opens the sockets of a host.
func (e *estate) open(host string, at netns.Namespace) (frames.Socket, error) {
	filter, err := bpf.OpenFrames()
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.filters[host] = filter
	e.mu.Unlock()
	return socket.Open(filter, at.Do)
}

// filter is what a host's sockets have.
func (e *estate) filter(host string) *bpf.Frames {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.filters[host]
}

// link takes an interface of a namespace as that of a machine of its own.
func (e *estate) link(ns netns.Namespace, i model.Interface) {
	f := e.hosts[ns.Name]
	if f == nil {
		return
	}
	i.Netns = ""
	host := strings.TrimPrefix(ns.Name, prefix())
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageNetConfig, Key: i.Key()}, time.Now(), i)
	if err != nil {
		e.t.Error(err)
		return
	}
	e.emit(doc)
	ns.Name = ""
	f.Link(ns, i)
}

func (e *estate) emit(docs ...model.Document) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, doc := range docs {
		e.count++
		e.seen = append(e.seen, e.Apply(fmt.Sprintf("%08d", e.count), doc)...)
	}
}

// heard says whether an event was told.
func (e *estate) heard(kind, summary string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, event := range e.seen {
		if event.Kind == kind && strings.Contains(event.Summary, summary) {
			return true
		}
	}
	return false
}

// wires are "host/interface switch/port" of every cable that is heard, sorted.
func (e *estate) wires() (wires []string) {
	for _, p := range e.Ports(graph.PortFilter{}) {
		wires = append(wires, fmt.Sprintf("%s/%s %s/%s", p.Host, p.Interface, p.Neighbor.SystemName, p.Neighbor.Port.ID))
	}
	return wires
}

func (e *estate) expectWires(what string, want []string) {
	e.t.Helper()
	var got []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = e.wires(); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
	}
	e.t.Fatalf("%s: wires\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
}
