package capture

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

const (
	leavingChild  = "leaves"
	replacedChild = "is-replaced"
	sharingChild  = "shares"
)

// freeTCPPort is a port that can be listened on: of one that is free for UDP a connection may have been a client,
// and keep it for a minute.
func freeTCPPort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// A daemon that listens, and then leaves its sockets to a child, is told to be the child without that anybody asks or
// connects.
func TestLeavesToItsChild(t *testing.T) {
	port := strconv.Itoa(freeTCPPort(t))
	r := startUDP(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, childArg, leavingChild, port).Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(out))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Kill(pid, unix.SIGKILL) }()
	for _, proto := range []string{"tcp", "udp"} {
		l := r.listener("of the child", func(l model.Listener) bool { return l.Proto == proto && l.PID == pid })
		if l.Exe != exe || l.State != model.StateListening {
			t.Errorf("%+v", l)
		}
	}
}

// A worker with a socket of its own on a port that it shares (SO_REUSEPORT) is not named any more once it
// has ended; one of the others is.
func TestSharedPortOutlivesAWorker(t *testing.T) {
	port := strconv.Itoa(freeTCPPort(t))
	r := start(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	workers := make([]*exec.Cmd, 3)
	named := func(sockets, pid int) {
		t.Helper()
		r.listener(fmt.Sprint("of process ", pid), func(l model.Listener) bool {
			return l.Proto == "tcp" && strconv.Itoa(int(l.Port)) == port && l.Sockets == sockets && l.PID == pid
		})
	}
	for i := range workers {
		workers[i] = exec.Command(exe, childArg, sharingChild, port)
		if err := workers[i].Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = workers[i].Process.Kill(), workers[i].Wait() }()
		named(i+1, workers[i].Process.Pid)
	}
	for i := len(workers) - 1; i > 0; i-- {
		_, _ = workers[i].Process.Kill(), workers[i].Wait()
		named(i, workers[0].Process.Pid)
	}
}

// sharePort listens on a port that others listen on too, until it is killed.
func sharePort(port string) int {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		cerr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		return errors.Join(cerr, err)
	}}
	l, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:"+port)
	if err != nil {
		return 1
	}
	_, _ = l.Accept() // nobody comes
	return 0
}

// A program that listens and begins another in its place, as those do that only open sockets, is told to be that
// one, without that anybody asks or connects.
func TestLeavesToAnotherProgram(t *testing.T) {
	r := start(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, image, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, childArg, replacedChild, other)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	l := r.listener("of the other", func(l model.Listener) bool { return l.PID == cmd.Process.Pid && l.Exe == other })
	if l.State != model.StateListening || l.Proto != "tcp" {
		t.Errorf("%+v", l)
	}
}

// listenAndExec opens a listener for the program that it begins in its place.
func listenAndExec(program string) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		return 1
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil { // it stays open
		return 1
	}
	_ = unix.Exec(program, []string{program, childArg}, os.Environ())
	return 1
}

// leaveToChild listens, hands its sockets on to a child that waits, and ends.
func leaveToChild(port string) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:"+port)
	if err != nil {
		return 1
	}
	stream, errStream := l.(*net.TCPListener).File()
	datagrams, errDatagrams := c.(*net.UDPConn).File()
	if errStream != nil || errDatagrams != nil {
		return 1
	}
	cmd := exec.Command(os.Args[0], childArg)
	cmd.ExtraFiles = []*os.File{stream, datagrams}
	if cmd.Start() != nil {
		return 1
	}
	fmt.Print(cmd.Process.Pid)
	return 0
}
