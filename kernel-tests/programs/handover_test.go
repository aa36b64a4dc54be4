package programs

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/kernel-tests/undertest"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// role is the environment variable that makes this test binary one of the programs below.
const role = "CASSINI_TEST_ROLE"

// play is what such a program does.
func play(as string) error {
	switch as {
	case "worker": // serves on the listener that it was started with
		return answerOn(3)
	case "receiver": // serves on the listener that comes over a Unix socket
		return receive(3)
	case "passer": // opens a listener, gives it away and ends
		return pass(os.Args[1], os.Args[2])
	}
	return fmt.Errorf("%s=%s is no role", role, as)
}

func answerOn(fd int) error {
	l, err := net.FileListener(os.NewFile(uintptr(fd), "listener"))
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		_, _ = c.Write([]byte("served by " + strconv.Itoa(os.Getpid()) + "\n"))
		_ = c.Close()
	}
}

func receive(fd int) error {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(fd, make([]byte, 1), oob, 0)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return errors.Join(err, errors.New("no descriptor came"))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	return answerOn(fds[0])
}

func pass(address, receiver string) error {
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	cmd := exec.Command(receiver)
	cmd.Env = append(os.Environ(), role+"=receiver")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(pair[1]), "other end")}
	if err := cmd.Start(); err != nil {
		return err
	}
	fmt.Println("receiver", cmd.Process.Pid)
	return unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(int(file.Fd())), nil, 0)
}

// as is this binary under another name, which makes it another program.
func as(t *testing.T, name string) string {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, self, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A socket that systemd opened is the service's that it starts at the first connection.
func TestSocketActivation(t *testing.T) {
	port, worker := undertest.Port(t), as(t, "worker")
	c := startCassini(t, t.TempDir())
	address := "127.0.0.1:" + strconv.Itoa(port)
	p := launch(t, nil, "", "systemd-socket-activate", "-l", address, "-E", role+"=worker", worker)
	first := c.service(port, model.StateListening)
	if filepath.Base(first.Exe) != "systemd-socket-activate" || first.PID != p.Process.Pid {
		t.Errorf("before the first connection it is %+v", first)
	}
	if got := hello(t, address); got != p.Process.Pid {
		t.Errorf("served by %d, want %d", got, p.Process.Pid)
	}
	c.becomes(port, worker, p.Process.Pid)
	for range 3 {
		hello(t, address)
	}
	c.dependency("programs.test", port, func(d model.DependencyView) bool { // as systemd's there was one
		return d.Server.Exe == worker && d.Connections == 4 && d.Server.PID == p.Process.Pid
	})
}

// A listener that was passed over a Unix socket is the receiver's, and so is what connects
// to it once that is known; the program that opened it has ended.
func TestPassedListener(t *testing.T) {
	port, receiver := undertest.Port(t), as(t, "receiver")
	c := startCassini(t, t.TempDir())
	address := "127.0.0.1:" + strconv.Itoa(port)
	passer := exec.Command(as(t, "passer"), address, receiver)
	passer.Env = append(os.Environ(), role+"=passer")
	out, err := passer.StdoutPipe()
	if err == nil {
		err = passer.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscanf(out, "receiver %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if state, err := passer.Process.Wait(); err != nil || !state.Success() {
		t.Fatalf("the passer ended: %v, %v", state, err)
	}
	if got := hello(t, address); got != pid {
		t.Errorf("served by %d, want %d", got, pid)
	}
	c.becomes(port, receiver, pid)
	hello(t, address)
	c.dependency("programs.test", port, func(d model.DependencyView) bool { return d.Server.Exe == receiver && d.Connections == 2 })
}

// becomes waits until a service is a program's.
func (c *cassini) becomes(port int, exe string, pid int) {
	c.t.Helper()
	var last model.Service
	defer func() {
		if c.t.Failed() {
			c.t.Logf("it is %+v", last)
		}
	}()
	eventually(c.t, fmt.Sprintf("port %d is %s's", port, exe), func() bool {
		for _, s := range ask[model.Service](c, "services") {
			if int(s.Port) == port && s.State == model.StateListening {
				last = s
			}
			if int(s.Port) == port && s.State == model.StateListening && s.Exe == exe && s.PID == pid {
				return true
			}
		}
		return false
	})
}

// hello asks a server who it is.
func hello(t *testing.T, address string) (pid int) {
	t.Helper()
	c, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fscanf(c, "served by %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// roleOf plays a role, if this process has one.
func roleOf() {
	as := os.Getenv(role)
	if as == "" {
		return
	}
	if err := play(as); err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
	os.Exit(0)
}
