package translate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/agent/capture"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/translate"
	"cassini/agent/translate/conntrack"
	"cassini/bpf"
	"cassini/kernel-tests/undertest"
	"cassini/manager/graph"
	"cassini/model"

	"go.uber.org/goleak"
)

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(child(os.Args[2:]))
	}
	undertest.NeedRoot("TRANSLATION", "test-privileged")
	goleak.VerifyTestMain(m)
}

// child is a server or a client: "serve ADDRESS", which says when it listens and serves
// until its input ends, or "dial ADDRESS TIMES", which prints who answered each time.
// "double ADDRESS" and "ask ADDRESS TIMES" are the same of UDP.
func child(args []string) int {
	switch args[0] {
	case "serve":
		return serve(args[1])
	case "double":
		return double(args[1])
	}
	times, _ := strconv.Atoi(args[2])
	if args[0] == "ask" {
		return ask(args[1], times)
	}
	dialer := net.Dialer{Timeout: patience}
	for i := range times {
		if len(args) > 3 {
			first, _ := strconv.Atoi(args[3])
			dialer.LocalAddr = &net.TCPAddr{Port: first + i}
		}
		conn, err := dialer.Dial("tcp", args[1])
		if err != nil {
			fmt.Println("failed:", err)
			continue
		}
		name, _ := io.ReadAll(conn)
		_ = conn.Close()
		fmt.Println(string(name))
	}
	return 0
}

func serve(address string) int {
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	listening()
	for {
		conn, err := l.Accept()
		if err != nil {
			return 1
		}
		_, _ = conn.Write([]byte(conn.LocalAddr().String()))
		_ = conn.Close()
	}
}

// listening says that a child serves, which it does until its input ends.
func listening() {
	fmt.Println("listening")
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}

// question is how many bytes are asked with; an answer has twice as many.
const question = 100

// double answers each datagram with one twice as large.
func double(address string) int {
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	listening()
	for buf := make([]byte, 2*question); ; {
		n, peer, err := c.ReadFrom(buf)
		if err != nil {
			return 1
		}
		_, _ = c.WriteTo(buf[:2*n], peer)
	}
}

// ask asks so many times from a socket that is connected, and as often from one that is not.
func ask(address string, times int) int {
	connected, err := net.Dial("udp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	other, err := net.ListenUDP("udp", nil)
	for range times {
		if err == nil {
			_, err = connected.Write(make([]byte, question))
		}
		if err == nil {
			_, err = other.WriteTo(make([]byte, question), connected.RemoteAddr())
		}
		for _, c := range []net.Conn{connected, other} {
			if err == nil {
				_ = c.SetReadDeadline(time.Now().Add(patience))
				_, err = c.Read(make([]byte, 2*question))
			}
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func run(t testing.TB, input string, command ...string) string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}

// space makes a network namespace with a name of this test's own.
func space(t testing.TB, name string) string {
	t.Helper()
	name = fmt.Sprintf("%s-%d", name, os.Getpid())
	run(t, "", "ip", "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	run(t, "", "ip", "-n", name, "link", "set", "lo", "up")
	return name
}

// wire joins two namespaces, each with the other's address as gateway where it has one.
func wire(t *testing.T, a, nameA, addrA, b, nameB, addrB string) {
	t.Helper()
	run(t, "", "ip", "-n", a, "link", "add", nameA, "type", "veth", "peer", "name", nameB, "netns", b)
	for _, end := range [][3]string{{a, nameA, addrA}, {b, nameB, addrB}} {
		run(t, "", "ip", "-n", end[0], "addr", "add", end[2]+"/24", "dev", end[1])
		run(t, "", "ip", "-n", end[0], "link", "set", end[1], "up")
	}
}

func inside(ns string, command ...string) []string {
	return append([]string{"ip", "netns", "exec", ns}, command...)
}

// server runs in a namespace until the test ends.
func server(t testing.TB, ns, address string) {
	t.Helper()
	serving(t, ns, "serve", address)
}

// serving runs a child that serves, until the test ends.
func serving(t testing.TB, ns, what, address string) {
	t.Helper()
	command := inside(ns, os.Args[0], "child", what, address)
	cmd := exec.Command(command[0], command[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), cmd.Wait() })
	if line := make([]byte, 9); true {
		if _, err := io.ReadFull(out, line); err != nil || string(line) != "listening" {
			t.Fatalf("server at %s in %s: %q, %v", address, ns, line, err)
		}
	}
}

// dial connects so many times from a namespace, and counts who answered.
func dial(t *testing.T, ns, address string, times int) map[string]int {
	t.Helper()
	answers := make(map[string]int)
	for line := range strings.Lines(run(t, "", inside(ns, os.Args[0], "child", "dial", address, strconv.Itoa(times))...)) {
		answers[strings.TrimSpace(line)]++
	}
	return answers
}

// rig is an agent's capture, and what it hears of translations, with a graph behind.
type rig struct {
	t         *testing.T
	capture   *capture.Capture
	translate *translate.Translate

	mu    sync.Mutex
	graph *graph.Graph
	told  map[string]model.Translation // by key
	docs  int
}

func start(t *testing.T) *rig {
	t.Helper()
	return startWith(t, bpf.Limits{})
}

func startWith(t *testing.T, limits bpf.Limits) *rig {
	t.Helper()
	kernel, err := bpf.OpenTCP(limits)
	if err != nil {
		t.Fatalf("open: %+v", err)
	}
	r := &rig{t: t, graph: graph.New(graph.Limits{}), told: make(map[string]model.Translation)}
	log := slog.New(slog.DiscardHandler)
	r.capture = capture.New(capture.Config{Host: "vm", Kernel: kernel, Emit: r.emit, Logger: log})
	r.translate = translate.New(translate.Config{Host: "vm", Emit: r.emit, Logger: log, Open: func(ns netns.Namespace) (translate.Socket, error) {
		return conntrack.Open(ns.Do)
	}})
	network := netconf.New(netconf.Config{Host: "vm", Emit: r.emit, Logger: log, Links: r.translate.Link, Met: func(model.Seen) {}, Learned: func(model.Forwarding) {}})
	if err := r.capture.Bootstrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 3)
	for _, part := range []func(context.Context) error{r.capture.Run, r.translate.Run, network.Run} {
		go func() { ended <- part(ctx) }()
	}
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, <-ended, <-ended); err != nil {
			t.Error(err)
		}
	})
	<-network.Ready()
	network.Publish(nil)
	r.translate.Publish()
	if err := r.capture.Publish(nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) emit(docs ...model.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, doc := range docs {
		if err := doc.Validate(); err != nil {
			r.t.Errorf("emitted: %v", err)
		}
		r.docs++
		r.graph.Apply(fmt.Sprintf("%09d", r.docs), doc)
		if doc.Package != model.PackageTranslations {
			continue
		}
		var told model.Translation
		if err := doc.Decode(&told); err != nil {
			r.t.Errorf("emitted: %v", err)
		}
		r.told[doc.Key] = told
	}
}

// flows are those that a namespace is told to translate: found at the start, and begun since.
func (r *rig) flows(ns string) (found, begun uint64) {
	r.translate.Refresh()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, told := range r.told {
		if told.NetnsName == ns {
			found, begun = found+told.Found, begun+told.Flows
		}
	}
	return found, begun
}

// listening waits until so many more namespaces are listened to.
func (r *rig) listening(n int) {
	r.t.Helper()
	r.wait("namespaces are listened to", func() bool { return r.translate.Stats().Namespaces >= n })
}

func (r *rig) wait(what string, done func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("%s: not after %v; %+v", what, patience, r.translate.Stats())
		}
	}
}

// dependencies are those on a server's port, by "client -> address:port", with counters read.
func (r *rig) dependencies(of string) map[string]model.DependencyView {
	r.t.Helper()
	if err := r.capture.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.translate.Refresh()
	list, _ := r.graph.Dependencies(graph.DependencyFilter{})
	found := make(map[string]model.DependencyView)
	for _, d := range list {
		if strings.Contains(d.Client.ID, of) {
			found[fmt.Sprintf("%s:%d", d.Server.Addr, d.Port)] = d
		}
	}
	return found
}
