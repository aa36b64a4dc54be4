package capture

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

func TestUnixStream(t *testing.T) {
	for network, kind := range map[string]string{"unix": model.UnixStream, "unixpacket": model.UnixSeqpacket} {
		t.Run(kind, func(t *testing.T) {
			r := startUnix(t, bpf.UnixLimits{})
			path := filepath.Join(shortDir(t), "s")
			end := serveUnix(t, network, path)
			var conns []net.Conn
			for range 3 {
				conns = append(conns, dialUnix(t, network, path))
			}
			d := r.depends(path, counts(3, 0, 3))
			if d.Direction != model.Out || d.Proto != model.ProtoUnix || d.SocketType != kind || d.PID != os.Getpid() || d.Attempts != 3 || d.Dialled != "" || d.Port != 0 || d.Server.IsValid() {
				t.Errorf("dependency is %+v", d)
			}
			l := r.listens(path, listening)
			if l.PID != os.Getpid() || l.SocketType != kind || l.Sockets != 1 || l.Since.IsZero() || l.MntnsName != "" {
				t.Errorf("listener is %+v", l)
			}
			for _, conn := range conns {
				_ = conn.Close()
			}
			if d := r.depends(path, counts(3, 0, 0)); d.Closed != 3 {
				t.Errorf("closed %d", d.Closed)
			}
			end()
			r.listens(path, func(l model.Listener) bool { return l.State == model.StateEnded && l.Ended != nil })
		})
	}
}

// Every connection counts, also while user space does not come to look.
func TestUnixExact(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	path := filepath.Join(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	const each, dialers = 2000, 4
	var full atomic.Uint64
	var all, accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	})
	for range dialers {
		all.Go(func() {
			for range each {
				conn, err := net.Dial("unix", path)
				if errors.Is(err, unix.EAGAIN) {
					full.Add(1) // of those that wait to be accepted
					continue
				}
				if err != nil {
					t.Errorf("dial: %v", err)
					return
				}
				_ = conn.Close()
			}
		})
	}
	all.Wait()
	d := r.depends(path, counts(each*dialers-full.Load(), full.Load(), 0))
	if d.Attempts != each*dialers || d.Closed != each*dialers-full.Load() {
		t.Errorf("counters are %+v", d.Counters)
	}
	_ = l.Close()
	accepting.Wait()
}

func TestUnixFailures(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	dir := shortDir(t)
	missing, dead, name := filepath.Join(dir, "missing"), filepath.Join(dir, "dead"), fmt.Sprintf("@cassini-%d-nobody", os.Getpid())
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	for range 5 {
		fails(t, "unix", missing, unix.ENOENT)
		fails(t, "unix", dead, unix.ECONNREFUSED)
		fails(t, "unix", name, unix.ECONNREFUSED)
	}
	r.depends(missing, func(d model.Dependency) bool { return counts(0, 5, 0)(d) && d.Unreachable == 5 })
	for _, path := range []string{dead, name} { // why is known after a walk, which may be put off
		r.depends(path, func(d model.Dependency) bool { return counts(0, 5, 0)(d) && d.Refused == 5 })
	}
}

// A service that ends and comes back: what failed meanwhile is told, and it is one service.
func TestUnixRestart(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	path := filepath.Join(shortDir(t), "s")
	end := serveUnix(t, "unix", path)
	_ = dialUnix(t, "unix", path).Close()
	r.depends(path, counts(1, 0, 0))
	end()
	for range 3 {
		fails(t, "unix", path, unix.ENOENT)
	}
	r.depends(path, counts(1, 3, 0))
	serveUnix(t, "unix", path)
	_ = dialUnix(t, "unix", path).Close()
	r.depends(path, counts(2, 3, 0))
	r.listens(path, listening)
}

func TestUnixDatagram(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	for _, path := range []string{filepath.Join(shortDir(t), "d"), fmt.Sprintf("@cassini-%d-d", os.Getpid())} {
		server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 16)
		for range 20 {
			if err := unix.Sendto(fd, []byte("x"), 0, &unix.SockaddrUnix{Name: path}); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Read(buf); err != nil {
				t.Fatal(err)
			}
		}
		d := r.depends(path, counts(1, 0, 0)) // one socket, one peer: as for UDP
		if d.SocketType != model.UnixDatagram {
			t.Errorf("dependency is %+v", d)
		}
		if !r.sendsTo(path) {
			t.Errorf("nobody sends to %s: its edge would be evicted while it is in use", path)
		}
		conn := dialUnix(t, "unixgram", path)
		r.depends(path, counts(2, 0, 1))
		if l := r.listens(path, listening); l.SocketType != model.UnixDatagram || l.PID != os.Getpid() {
			t.Errorf("listener is %+v", l)
		}
		_ = conn.Close()
		_ = unix.Close(fd)
		_ = server.Close()
		r.listens(path, func(l model.Listener) bool { return l.State == model.StateEnded })
	}
}

// What is older than the agent: who listens, and whose connections are open.
func TestUnixExisting(t *testing.T) {
	path := filepath.Join(shortDir(t), "s")
	serveUnix(t, "unix", path)
	conns := []net.Conn{dialUnix(t, "unix", path), dialUnix(t, "unix", path)}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) // has no name: nobody's service
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) }()
	r := startUnix(t, bpf.UnixLimits{})
	d := r.depends(path, counts(2, 0, 2))
	if d.Adopted != 2 || d.PID != os.Getpid() {
		t.Errorf("dependency is %+v", d)
	}
	if l := r.listens(path, listening); !l.SinceApprox {
		t.Errorf("listener is %+v", l)
	}
	_ = conns[0].Close()
	r.depends(path, counts(2, 0, 1))
	_ = dialUnix(t, "unix", path)
	r.depends(path, counts(3, 0, 2))
}

// A client may name the socket otherwise than who serves it: by a link, by a relative path.
func TestUnixOtherNames(t *testing.T) {
	dir := shortDir(t)
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := errors.Join(os.Mkdir(real, 0o755), os.Symlink("real", link)); err != nil {
		t.Fatal(err)
	}
	r := startUnix(t, bpf.UnixLimits{})
	serveUnix(t, "unix", filepath.Join(real, "s"))
	dialUnix(t, "unix", filepath.Join(link, "s"))
	if d := r.depends(filepath.Join(real, "s"), counts(1, 0, 1)); d.Dialled != filepath.Join(link, "s") {
		t.Errorf("dialled %q", d.Dialled)
	}
	c := unixCommand(t, "dial", "s")
	c.Dir = real
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.depends(filepath.Join(real, "s"), counts(2, 0, 1))
}

// A socket that is renamed as soon as it is bound, as HAProxy does it, and one that was bound from
// a directory that its process has left, are where their files are.
func TestUnixRenamed(t *testing.T) {
	dir := shortDir(t)
	bound, renamed, relative := filepath.Join(dir, "s.1.tmp"), filepath.Join(dir, "s"), filepath.Join(dir, "r")
	serveUnix(t, "unix", bound)
	if err := os.Rename(bound, renamed); err != nil {
		t.Fatal(err)
	}
	c := unixCommand(t, "leave", "r")
	c.Dir = dir
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = c.Process.Kill(), c.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	served := map[string]int{renamed: os.Getpid(), relative: c.Process.Pid}
	for path := range served {
		dialUnix(t, "unix", path)
	}
	r := startUnix(t, bpf.UnixLimits{})
	for path, pid := range served {
		if d := r.depends(path, counts(1, 0, 1)); d.Adopted != 1 {
			t.Errorf("older than the agent: %+v", d)
		}
		dialUnix(t, "unix", path)
		if l := r.listens(path, listening); l.PID != pid {
			t.Errorf("%s is served by %+v, want process %d", path, l, pid)
		}
		r.depends(path, counts(2, 0, 2))
	}
}

// The same path in another mount namespace is another service.
func TestUnixMountNamespace(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	dir := shortDir(t)
	path := filepath.Join(dir, "s")
	serveUnix(t, "unix", path)
	dialUnix(t, "unix", path)
	c := unixCommand(t, "private", dir, path)
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	theirs := r.listens(path, func(l model.Listener) bool { return l.PID == c.Process.Pid })
	if !strings.HasPrefix(theirs.MntnsName, "mnt:[") || theirs.ServiceID(testHost) == "" {
		t.Errorf("their listener is %+v", theirs)
	}
	r.depends(path, func(d model.Dependency) bool {
		return d.PID == c.Process.Pid && d.MntnsName == theirs.MntnsName && d.Connections == 1
	})
	r.depends(path, func(d model.Dependency) bool { return d.PID == os.Getpid() && d.MntnsName == "" && d.Connections == 1 })
	_ = in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}

// A listener that is handed to another process is that one's from then on, and does not
// end on the way.
func TestUnixPassed(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{})
	path := filepath.Join(shortDir(t), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if got := r.listens(path, listening); got.PID != os.Getpid() {
		t.Fatalf("listener is %+v", got)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine, theirs := os.NewFile(uintptr(pair[0]), "mine"), os.NewFile(uintptr(pair[1]), "theirs")
	defer mine.Close()
	file, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(int(file.Fd())), nil, 0); err != nil {
		t.Fatal(err)
	}
	_, _ = file.Close(), l.Close()
	for range 5 { // nobody holds it: it is in the queue
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if got := r.listens(path, func(model.Listener) bool { return true }); got.State != model.StateListening {
		t.Errorf("on the way: %+v", got)
	}
	c := unixCommand(t, "receive")
	c.ExtraFiles = []*os.File{theirs}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = theirs.Close()
	r.listens(path, func(l model.Listener) bool { return listening(l) && l.PID == c.Process.Pid })
	_ = dialUnix(t, "unix", path).Close()
	r.depends(path, counts(1, 0, 0))
	_ = in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	r.listens(path, func(l model.Listener) bool { return l.State == model.StateEnded })
}

// A flood of names finds its bound, which is counted, and takes nothing from who was there.
func TestUnixBounded(t *testing.T) {
	r := startUnix(t, bpf.UnixLimits{Edges: 16})
	dir := shortDir(t)
	path := filepath.Join(dir, "s")
	serveUnix(t, "unix", path)
	_ = dialUnix(t, "unix", path)
	r.depends(path, counts(1, 0, 1))
	for i := range 200 {
		fails(t, "unix", filepath.Join(dir, fmt.Sprint("none", i)), unix.ENOENT)
	}
	_ = dialUnix(t, "unix", path)
	r.depends(path, counts(2, 0, 2))
	counters, err := r.kernel.Counters()
	if err != nil {
		t.Fatal(err)
	}
	if counters.EdgesFull < 100 {
		t.Errorf("of 200 edges %d found no room, of 16 places", counters.EdgesFull)
	}
}

// unixChild makes the test binary act as another process with Unix-domain sockets.
const unixChild = "unix"
