package capture

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// listen opens a listener; mptcp is what Go does by default.
func listen(t testing.TB, network, address string, mptcp bool) *net.TCPListener {
	t.Helper()
	var config net.ListenConfig
	config.SetMultipathTCP(mptcp)
	l, err := config.Listen(t.Context(), network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // closed before by some tests
	return l.(*net.TCPListener)
}

func portOf(l net.Listener) uint16 { return uint16(l.Addr().(*net.TCPAddr).Port) }

// talk makes n connections one after the other, each carrying 5 bytes there and
// 3 back, and returns when both ends are closed.
func talk(t *testing.T, l net.Listener, address string, n int) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- serve(l, n) }()
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}

func serve(l net.Listener, n int) error {
	for range n {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, 5)); err != nil {
			return err
		}
		if _, err := conn.Write([]byte("bye")); err != nil {
			return err
		}
		_ = conn.Close()
	}
	return nil
}

func checkSelf(t *testing.T, p model.Process) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if p.PID != os.Getpid() || p.Exe != exe || p.Cwd != cwd || p.UID != "root" || p.GID != "root" || p.Cgroup == "" {
		t.Errorf("process is %+v, want pid %d, exe %s, cwd %s, root, a cgroup", p, os.Getpid(), exe, cwd)
	}
	if len(p.Cmdline) == 0 || p.Cmdline[0] != os.Args[0] {
		t.Errorf("command line is %q, want %q", p.Cmdline, os.Args)
	}
}

func TestListenerComesAndGoes(t *testing.T) {
	r := start(t, bpf.Limits{})
	for _, c := range []struct {
		name, network, address, want string
		mptcp, dual                  bool
	}{
		{"IPv4", "tcp4", "127.0.0.1:0", "127.0.0.1", false, false},
		{"every IPv4 address", "tcp4", "0.0.0.0:0", "0.0.0.0", false, false},
		{"IPv6", "tcp6", "[::1]:0", "::1", false, false},
		{"IPv6 alone", "tcp6", "[::]:0", "::", false, false},
		{"dual stack", "tcp", "[::]:0", "::", false, true},
		{"MPTCP", "tcp", "127.0.0.1:0", "127.0.0.1", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := listen(t, c.network, c.address, c.mptcp)
			got := r.listener("listening", func(l2 model.Listener) bool { return l2.Port == portOf(l) })
			if got.Addr.String() != c.want || got.DualStack != c.dual || got.State != model.StateListening || got.SinceApprox {
				t.Errorf("listener is %+v", got)
			}
			checkSelf(t, got.Process)
			_ = l.Close()
			ended := r.listener("ended", func(l2 model.Listener) bool {
				return l2.Port == got.Port && l2.State == model.StateEnded
			})
			if ended.Ended == nil || ended.Ended.Before(got.Since) || !ended.Since.Equal(got.Since) {
				t.Errorf("ended listener is %+v", ended)
			}
		})
	}
}

// Every count must be exact, on both ends, and the ends charged rightly: the
// server's transitions run in whatever task the interrupt hit.
func TestConnectionsAreCounted(t *testing.T) {
	r := start(t, bpf.Limits{})
	for _, c := range []struct {
		name, network, address, dial, want string
		mptcp                              bool
	}{
		{"IPv4", "tcp4", "127.0.0.1:0", "127.0.0.1", "127.0.0.1", false},
		{"IPv6", "tcp6", "[::1]:0", "::1", "::1", false},
		{"v4-mapped", "tcp", "[::]:0", "127.0.0.1", "127.0.0.1", false},
		{"MPTCP listener", "tcp", "127.0.0.1:0", "127.0.0.1", "127.0.0.1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			const n = 7
			l := listen(t, c.network, c.address, c.mptcp)
			talk(t, l, netip.AddrPortFrom(netip.MustParseAddr(c.dial), portOf(l)).String(), n)
			for _, direction := range []model.Direction{model.Out, model.In} {
				got := r.dependency(string(direction)+" counted", func(d model.Dependency) bool {
					return d.Port == portOf(l) && d.Direction == direction && d.Closed == n
				})
				sent, received := uint64(5*n), uint64(3*n)
				if direction == model.In {
					sent, received = received, sent
				}
				if got.Connections != n || got.Failed != 0 || got.Open != 0 || got.BytesReceived != received || got.BytesSent != sent {
					t.Errorf("%s: %+v, want %d connections, %d bytes sent, %d received", direction, got.Counters, n, sent, received)
				}
				if got.Server.String() != c.want || got.Client.String() != c.want {
					t.Errorf("%s: addresses are %s -> %s, want %s", direction, got.Client, got.Server, c.want)
				}
				checkSelf(t, got.Process)
			}
		})
	}
}

// Nobody asks: what fails is told of again in the next minute in which it does.
func TestFailsAgain(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	_ = l.Close()
	first, deadline := uint64(0), time.Now().Add(time.Minute+patience)
	for ; time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
			conn.Close()
			t.Fatal("connected to nobody")
		}
		for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == portOf(l) && d.Failed > 0 }) {
			if first == 0 {
				first = d.Failed
			} else if d.Failed > first {
				return
			}
		}
	}
	t.Errorf("told of %d failures, and of no more in another minute", first)
}

func TestRefused(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	_ = l.Close()
	for range 3 {
		if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
			conn.Close()
			t.Fatal("connected to nobody")
		}
	}
	got := r.dependency("failures", func(d model.Dependency) bool { return d.Port == portOf(l) && d.Failed == 3 })
	if got.Refused != 3 || got.Connections != 0 || got.Attempts != 3 || got.Direction != model.Out {
		t.Errorf("counters are %+v, want 3 refused", got.Counters)
	}
}

// A listener whose queue is full drops the SYN: the client times out.
func TestTimedOutAndAborted(t *testing.T) {
	r := start(t, bpf.Limits{})
	address, port := silentListener(t)
	dial := func(network string, dialer *net.Dialer, ctx context.Context) {
		if conn, err := dialer.DialContext(ctx, network, address); err == nil {
			conn.Close()
			t.Fatal("connected to a full queue")
		}
	}
	dial("tcp", &net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		cerr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_SYNCNT, 1) })
		if cerr != nil {
			return cerr
		}
		return err
	}}, t.Context())
	got := r.dependency("time-out", func(d model.Dependency) bool { return d.Port == port && d.Direction == model.Out && d.Failed == 1 })
	if got.TimedOut != 1 {
		t.Errorf("counters are %+v, want one timed out", got.Counters)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		r.dependency("second attempt", func(d model.Dependency) bool {
			return d.Port == port && d.Direction == model.Out && d.Attempts == got.Attempts+1
		})
		cancel()
	}()
	dial("tcp", &net.Dialer{}, ctx)
	got = r.dependency("abort", func(d model.Dependency) bool { return d.Port == port && d.Direction == model.Out && d.Failed == 2 })
	if got.Aborted != 1 {
		t.Errorf("counters are %+v, want one aborted", got.Counters)
	}
}

// silentListener listens with a queue that is full.
func silentListener(t *testing.T) (string, uint16) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := uint16(bound.(*unix.SockaddrInet4).Port)
	address := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	conn, err := net.Dial("tcp", address) // takes the one place
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return address, port
}

const childArg = "cassini-test-child"

// child is a process that connects and is gone at once; with nowhere to connect
// to it holds what it inherited until it is killed.
func child(args []string) int {
	if len(args) == 0 {
		time.Sleep(time.Hour)
		return 0
	}
	if args[0] == withoutCgroup2 {
		return tryWithoutCgroup2()
	}
	if args[0] == unixChild {
		return unixChildMain(args[1:])
	}
	if args[0] == preforkChild {
		return preforkMain(args[1:])
	}
	if args[0] == tapChild {
		return tapChildMain(args[1:])
	}
	if args[0] == daemonChild {
		return daemonMain(args[1:])
	}
	if args[0] == leavingChild {
		return leaveToChild(args[1])
	}
	if args[0] == replacedChild {
		return listenAndExec(args[1])
	}
	if args[0] == sharingChild {
		return sharePort(args[1])
	}
	if args[0] == boundChild {
		return boundMain(args[1:])
	}
	if args[0] == nfsChild {
		return nfsMain()
	}
	conn, err := net.Dial("tcp", args[0])
	if err != nil {
		return 1
	}
	_ = conn.Close()
	return 0
}

// A process whose /proc entry is gone still has its identity from the kernel.
func TestProcessAlreadyGone(t *testing.T) {
	server := accepting(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := start(t, bpf.Limits{})
	cmd := exec.Command(exe, childArg, server.String())
	cmd.Dir = dir
	r.pause(func() { // nobody reads events until the process is gone
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	})
	got := r.dependency("the child's", func(d model.Dependency) bool {
		return d.Port == uint16(server.Port) && d.Direction == model.Out && d.PID == cmd.Process.Pid
	})
	if got.Exe != exe || got.Cwd != dir || len(got.Cmdline) != 3 || got.Cmdline[1] != childArg || got.Partial {
		t.Errorf("process is %+v", got.Process)
	}
}
