package capture

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

const leavingChild = "leaves"

// A daemon that listens, and then leaves its sockets to a child, is told to be the child without that anybody asks or
// connects.
func TestLeavesToItsChild(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(exe, childArg, leavingChild, strconv.Itoa(freePort(t))).Output()
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
