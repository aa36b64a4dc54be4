package capture

import (
	"bufio"
	"errors"
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

const (
	daemonChild = "daemon"
	daemonUser  = 65534 // nobody
)

// A daemon that opens its sockets as root and then becomes somebody else runs as that one.
func TestBecomesAnotherUser(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, childArg, daemonChild, strconv.Itoa(freePort(t)))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q: %v", line, err)
	}
	for _, proto := range []string{"tcp", "udp"} {
		l := r.listener("as another user", func(l model.Listener) bool {
			return l.Proto == proto && l.PID == cmd.Process.Pid && l.UIDNum == daemonUser
		})
		if l.GIDNum != daemonUser || l.Exe != exe || l.State != model.StateListening {
			t.Errorf("%+v", l)
		}
	}
}

// daemonMain listens as root and becomes another user; it waits to be killed.
func daemonMain(args []string) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 1
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:"+args[0])
	if err == nil {
		err = errors.Join(unix.Setresgid(daemonUser, daemonUser, daemonUser), unix.Setresuid(daemonUser, daemonUser, daemonUser))
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	_, _, _ = c.ReadFrom(make([]byte, 1))
	_ = l.Close()
	return 0
}
