package capture

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// carriedSCTP is where the virtual machine has the module, not loaded.
const carriedSCTP = "/cassini/modules/sctp.ko"

// loadSCTP has the kernel load SCTP, and leaves a test out where there is none.
func loadSCTP(t *testing.T) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err == nil {
		_ = unix.Close(fd)
		return
	}
	if !inVM() {
		notTested(t, "this kernel has no SCTP: %v", err)
	}
	file, err := os.Open(carriedSCTP)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil {
		t.Fatalf("load %s: %v", carriedSCTP, err)
	}
}

// startSCTP starts a capture of SCTP too.
func startSCTP(t *testing.T) *rig {
	t.Helper()
	loadSCTP(t)
	r := start(t, bpf.Limits{})
	if err := r.OpenSCTP(t.Context()); err != nil {
		t.Fatalf("%+v", err)
	}
	return r
}

// sctpStyle is one of the two kinds of SCTP's sockets.
type sctpStyle struct {
	name string
	kind int
}

var sctpStyles = []sctpStyle{{"one-to-one", unix.SOCK_STREAM}, {"one-to-many", unix.SOCK_SEQPACKET}}

func sockaddr(at netip.AddrPort) unix.Sockaddr {
	if at.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}
	}
	to := &unix.SockaddrInet6{Addr: at.Addr().As16(), Port: int(at.Port())}
	if i, err := net.InterfaceByName(at.Addr().Zone()); err == nil { // of this network namespace
		to.ZoneId = uint32(i.Index)
	}
	return to
}

// uninterrupted runs a system call that is not begun again after a signal, as those with a
// time limit are not: Go's scheduler sends signals.
func uninterrupted(call func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &all, &before); err != nil {
		return err
	}
	return errors.Join(call(), unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil))
}

// sctpPatience is how long a system call may wait.
const sctpPatience = 20 * time.Second

// sctpSocket opens a socket of a family. Whoever waits on it waits no longer than sctpPatience.
func sctpSocket(t *testing.T, family, kind int) int {
	t.Helper()
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if err != nil {
		t.Fatal(err)
	}
	limit := unix.NsecToTimeval(sctpPatience.Nanoseconds())
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			t.Fatal(err)
		}
	}
	return fd
}

func familyOf(address netip.Addr) int {
	if address.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// sctpListen listens until the test ends or closes it, and returns the port.
func sctpListen(t *testing.T, kind int, address string) (fd int, port uint16) {
	t.Helper()
	at := netip.MustParseAddr(address)
	fd = sctpSocket(t, familyOf(at), kind)
	if err := errors.Join(unix.Bind(fd, sockaddr(netip.AddrPortFrom(at, 0))), unix.Listen(fd, 128)); err != nil {
		t.Fatal(err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		return fd, uint16(bound.Port)
	case *unix.SockaddrInet6:
		return fd, uint16(bound.Port)
	}
	t.Fatalf("bound to %v", bound)
	return 0, 0
}

// sctpDial sends one message there, which a one-to-many socket begins an association by.
func sctpDial(t *testing.T, kind int, to netip.AddrPort) (fd int) {
	t.Helper()
	fd = sctpSocket(t, familyOf(to.Addr()), kind)
	sctpSend(t, fd, kind, to)
	return fd
}

func sctpSend(t *testing.T, fd, kind int, to netip.AddrPort) {
	t.Helper()
	if kind == unix.SOCK_STREAM {
		if err := uninterrupted(func() error { return unix.Connect(fd, sockaddr(to)) }); err != nil {
			t.Fatalf("connect to %v: %v", to, err)
		}
		if _, err := unix.Write(fd, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := uninterrupted(func() error { return unix.Sendto(fd, []byte("hello"), 0, sockaddr(to)) }); err != nil {
		t.Fatalf("send to %v: %v", to, err)
	}
}

// sctpTake takes one message, and of a one-to-one socket the connection, which it returns.
func sctpTake(t *testing.T, fd, kind int) (taken int) {
	t.Helper()
	from, taken := fd, -1
	if kind == unix.SOCK_STREAM {
		err := uninterrupted(func() (err error) {
			taken, _, err = unix.Accept(fd)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		from = taken
	}
	buf, n := make([]byte, 16), 0
	err := uninterrupted(func() (err error) {
		n, _, err = unix.Recvfrom(from, buf, 0)
		return err
	})
	if err != nil || string(buf[:n]) != "hello" {
		t.Fatalf("received %q, %v", buf[:max(n, 0)], err)
	}
	return taken
}

func closeFD(t *testing.T, fds ...int) {
	t.Helper()
	for _, fd := range fds {
		if fd < 0 {
			continue
		}
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	}
}
