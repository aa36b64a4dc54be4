package capture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Listeners on one address and port that are bound to different interfaces, as those of VRFs and
// of one name server for each bridge, are services of their own: each has what came in on its
// interface, and one that ends ends alone. Those of UDP likewise, and those that are older than
// the agent.
func TestBoundToInterfaces(t *testing.T) {
	var r *rig
	inNetns(t, func() {
		cable := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "bound0"}, PeerName: "bound1"}
		if err := netlink.LinkAdd(cable); err != nil {
			t.Fatal(err)
		}
		older := serveBound(t, "tcp", "lo", 0)
		r = startUDP(t, bpf.Limits{})
		tcp, udp := serveBound(t, "tcp", "lo", 0), serveBound(t, "udp", "lo", 0)
		// The latest to listen on the address.
		fellows := []*boundServer{serveBound(t, "tcp", "bound0", older.port), serveBound(t, "tcp", "bound0", tcp.port), serveBound(t, "udp", "bound0", udp.port)}
		for i, s := range []*boundServer{older, tcp, udp} {
			if pid := dialBound(t, s); pid != s.cmd.Process.Pid {
				t.Fatalf("process %d answered, not %d", pid, s.cmd.Process.Pid)
			}
			got := r.dependency("what came in", func(d model.Dependency) bool {
				return d.Proto == s.network && d.Port == s.port && d.Direction == model.In && d.Connections > 0 && d.Open == 0
			})
			if got.PID != s.cmd.Process.Pid || got.Connections != 1 || got.Server != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("%s on %s: %+v, want of process %d", s.network, s.on, got, s.cmd.Process.Pid)
			}
			for _, s := range []*boundServer{s, fellows[i]} {
				l := s.listener(r, model.StateListening)
				if l.PID != s.cmd.Process.Pid || l.On() != s.on || l.Sockets != 1 {
					t.Errorf("%s on %q: %+v, want process %d", s.network, s.on, l, s.cmd.Process.Pid)
				}
			}
			s.end(t)
			s.listener(r, model.StateEnded)
			fellows[i].listener(r, model.StateListening)
		}
	})
}

// boundServer is a process that serves one connection or flow at a time.
type boundServer struct {
	network, on string
	port        uint16
	cmd         *exec.Cmd
}

// listener waits for the document of a server in a state.
func (s *boundServer) listener(r *rig, state string) model.Listener {
	r.t.Helper()
	return r.listener(s.network+" on "+s.on+" is "+state, func(l model.Listener) bool {
		return l.Proto == s.network && l.Port == s.port && l.On() == s.on && l.State == state
	})
}

const boundChild = "bound"

// serveBound starts a server in this network namespace, of a port that is free where it is 0, bound
// to an interface.
func serveBound(t *testing.T, network, on string, port uint16) *boundServer {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if port == 0 {
		port = uint16(freePort(t))
	}
	s := &boundServer{network: network, on: on, port: port, cmd: exec.Command(exe, childArg, boundChild, network, on, strconv.Itoa(int(port)))}
	ready, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = s.cmd.Process.Kill(), s.cmd.Wait() })
	if line, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("a server of %s on %q: %q, %v", network, on, line, err)
	}
	return s
}

func (s *boundServer) end(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
}

// dialBound asks whoever is at the server's port on loopback which process it is.
func dialBound(t *testing.T, s *boundServer) int {
	t.Helper()
	conn, err := net.Dial(s.network+"4", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(s.port))))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	var room [16]byte
	n, err := conn.Read(room[:])
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(room[:n]))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// boundMain serves until it is killed: it answers with its process id.
func boundMain(args []string) int {
	network, on, port := args[0], args[1], args[2]
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errors.Join(c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			err = errors.Join(err, unix.BindToDevice(int(fd), on))
		}), err)
	}}
	config.SetMultipathTCP(false)
	if err := serveAt(config, network, net.JoinHostPort("0.0.0.0", port)); err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " "))
		return 1
	}
	return 0
}

func serveAt(config net.ListenConfig, network, address string) error {
	if network == "udp" {
		c, err := config.ListenPacket(context.Background(), "udp4", address)
		if err != nil {
			return err
		}
		fmt.Println("ready")
		for {
			_, peer, err := c.ReadFrom(make([]byte, 16))
			if err != nil {
				return err
			}
			_, _ = c.WriteTo([]byte(strconv.Itoa(os.Getpid())), peer)
		}
	}
	l, err := config.Listen(context.Background(), "tcp4", address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		_, _ = conn.Read(make([]byte, 16))
		_, _ = conn.Write([]byte(strconv.Itoa(os.Getpid())))
		_ = conn.Close()
	}
}
