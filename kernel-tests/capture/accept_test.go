package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// preforkChild is the argument of a server whose children accept, and of these.
const preforkChild = "prefork"

// preforkMain listens and starts so many children that share the socket, or is one of them.
func preforkMain(args []string) int {
	if args[0] == "worker" {
		return preforkWorker(args[1])
	}
	if err := preforkServer(args[0], args[1], args[2]); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// preforkServer never accepts itself. It ends its children when its input ends.
func preforkServer(logs, workers, protocol string) error {
	proto, err := strconv.Atoi(protocol)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return err
	}
	err = errors.Join(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), unix.Listen(fd, 128))
	at, err2 := unix.Getsockname(fd)
	exe, err3 := os.Executable()
	n, err4 := strconv.Atoi(workers)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		return err
	}
	for range n {
		worker := exec.Command(exe, childArg, preforkChild, "worker", logs)
		worker.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "listener")}
		if err := worker.Start(); err != nil {
			return err
		}
		ended := make(chan struct{})
		go func() { _ = worker.Wait(); close(ended) }() // at once, so that it is no zombie
		defer func() { _ = worker.Process.Kill(); <-ended }()
	}
	fmt.Println(at.(*unix.SockaddrInet4).Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// preforkWorker writes a line into its own log for each connection, before it closes it.
func preforkWorker(logs string) int {
	log, err := os.Create(filepath.Join(logs, strconv.Itoa(os.Getpid())))
	if err != nil {
		return 1
	}
	runtime.LockOSThread()
	const inherited = 3
	_ = unix.SetNonblock(inherited, false)
	for {
		conn, _, err := unix.Accept(inherited)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 1
		}
		if _, err := log.WriteString("accepted\n"); err != nil {
			return 1
		}
		_ = unix.Close(conn)
		time.Sleep(2 * time.Millisecond) // the next one is another worker's
	}
}

// logged is how many connections each worker has written into its log.
func logged(t *testing.T, dir string) map[int]uint64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[int]uint64)
	for _, e := range entries {
		raw, err1 := os.ReadFile(filepath.Join(dir, e.Name()))
		pid, err2 := strconv.Atoi(e.Name())
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if n := uint64(len(raw) / len("accepted\n")); n > 0 {
			by[pid] = n
		}
	}
	return by
}

// prefork has a server of a protocol with workers take so many connections, and returns its port, and
// where each logs its connections.
func prefork(t *testing.T, protocol, workers, connections int) (port uint16, logs string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	logs = t.TempDir()
	server := exec.Command(exe, childArg, preforkChild, logs, strconv.Itoa(workers), strconv.Itoa(protocol))
	in, err1 := server.StdinPipe()
	out, err2 := server.StdoutPipe()
	if err := errors.Join(err1, err2, server.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = server.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &port); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	for range connections {
		dialServed(t, protocol, port)
	}
	return port, logs
}

// dialServed connects and waits until the server has closed the connection.
func dialServed(t *testing.T, protocol int, port uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(t, fd)
	limit := unix.NsecToTimeval(patience.Nanoseconds())
	err = errors.Join(unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit), uninterrupted(func() error {
		return unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(port)})
	}))
	if err != nil {
		t.Fatal(err)
	}
	err = uninterrupted(func() error {
		n, err := unix.Read(fd, make([]byte, 1))
		if n > 0 {
			return errors.New("it sent something")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where the kernel tells, each worker of a server has the connections that it logged; else
// they are the listener's owner's, and the document says so.
func TestPreforkWorkers(t *testing.T) {
	r := start(t, bpf.Limits{})
	if inVM() && runtime.GOARCH == "amd64" && r.noAccepts != nil {
		t.Errorf("this kernel has trampolines: %v", r.noAccepts)
	}
	chargedToWorkers(t, r, "tcp", unix.IPPROTO_TCP)
}

// chargedToWorkers has a server's workers accept, and one of them end.
func chargedToWorkers(t *testing.T, r *rig, proto string, protocol int) {
	const connections = 60
	port, dir := prefork(t, protocol, 3, connections)
	want := logged(t, dir)
	r.refresh()
	in := r.dependency("inbound", func(d model.Dependency) bool { return d.Port == port && d.Proto == proto && d.Direction == model.In })
	if in.Connections != connections {
		t.Errorf("%d connections, want %d", in.Connections, connections)
	}
	service := func(d model.Listener) bool { return d.Port == port && d.Proto == proto }
	if r.noAccepts != nil {
		if l := r.listener("prefork", service); l.AcceptsChargedTo != model.AcceptsToListener || l.Workers != nil || l.Sockets != 1 {
			t.Errorf("without trampolines: %+v", l.Accepts)
		}
		return
	}
	l := r.listener("prefork", func(l model.Listener) bool { return service(l) && len(l.Workers) > 0 })
	got := make(map[int]uint64)
	for _, w := range l.Workers {
		got[w.PID] = w.Accepted
	}
	if l.AcceptsChargedTo != model.AcceptsToProcess || fmt.Sprint(got) != fmt.Sprint(want) || l.AcceptedBefore != 0 {
		t.Errorf("charged %+v, the workers logged %v", l.Accepts, want)
	}
	if len(want) < 2 {
		t.Errorf("%d workers accepted: this proves nothing", len(want))
	}
	if l.PID == l.Workers[0].PID || l.Sockets != 1 {
		t.Errorf("one service of its owner: %+v", l)
	}
	gone := l.Workers[0]
	if err := unix.Kill(gone.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	after := waitFor(r, "the worker that ended", func() []model.Listener {
		r.refresh()
		return bodies(r, model.PackageListeners, func(l model.Listener) bool { return service(l) && l.AcceptedBefore == gone.Accepted })
	})
	if slices.ContainsFunc(after.Workers, func(w model.Worker) bool { return w.PID == gone.PID }) {
		t.Errorf("still there: %+v", after.Accepts)
	}
}

// A server that accepts itself has no workers to tell of.
func TestOwnerAcceptsAlone(t *testing.T) {
	r := start(t, bpf.Limits{})
	server := accepting(t)
	for range 5 {
		conn, err := net.DialTCP("tcp4", nil, server)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Read(make([]byte, 1)) // it closes
		_ = conn.Close()
	}
	r.refresh()
	l := r.listener("server", func(l model.Listener) bool { return int(l.Port) == server.Port && l.Proto == "tcp" })
	if l.Workers != nil || l.AcceptsChargedTo == "" || l.PID != os.Getpid() {
		t.Errorf("%+v", l)
	}
	if r.accepts == nil {
		return
	}
	workers, err := r.accepts.Workers()
	if err != nil || !slices.ContainsFunc(workers, func(w bpf.Worker) bool { return w.PID == os.Getpid() && w.Accepted >= 5 }) {
		t.Errorf("%+v, %v", workers, err)
	}
}

// Every connection that a process accepts counts, also while others accept on the same processors.
func TestAcceptsExact(t *testing.T) {
	r := start(t, bpf.Limits{})
	if r.noAccepts != nil {
		notTested(t, "nobody tells who accepts: %v", r.noAccepts)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const each, dialers, acceptors = 1000, 4, 4
	var dialling, accepting sync.WaitGroup
	for range acceptors {
		accepting.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 1)) // its client is done
				_ = conn.Close()
			}
		})
	}
	for range dialers {
		dialling.Go(func() {
			for range each {
				conn, err := net.Dial("tcp4", l.Addr().String())
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				_ = conn.(*net.TCPConn).CloseWrite()
				_, _ = conn.Read(make([]byte, 1)) // it was accepted
				_ = conn.Close()
			}
		})
	}
	dialling.Wait()
	_ = l.Close()
	accepting.Wait()
	workers, err := r.accepts.Workers()
	if err != nil {
		t.Fatal(err)
	}
	var got uint64
	for _, w := range workers {
		if w.PID == os.Getpid() {
			got += w.Accepted
		}
	}
	if got != each*dialers {
		t.Errorf("%d accepted, want %d", got, each*dialers)
	}
}
