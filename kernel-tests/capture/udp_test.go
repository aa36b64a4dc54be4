package capture

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func startUDP(t *testing.T, limits bpf.Limits) *rig {
	t.Helper()
	r := start(t, limits)
	if err := r.kernel.UDP(); err != nil {
		t.Fatalf("UDP is not captured: %+v", err)
	}
	return r
}

// freePort is a UDP port that nobody has: a service is bound to a port that its
// program chose, and port 0 is no choice.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func bind(t *testing.T, network, host string, port int, options ...int) *net.UDPConn {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var errs []error
		err := c.Control(func(fd uintptr) {
			for _, option := range options {
				errs = append(errs, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, 1))
			}
		})
		return errors.Join(append(errs, err)...)
	}}
	c, err := config.ListenPacket(t.Context(), network, net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // closed before by some tests
	return c.(*net.UDPConn)
}

func udpPort(c *net.UDPConn) uint16 { return uint16(c.LocalAddr().(*net.UDPAddr).Port) }

// echo answers every datagram until the socket closes.
func echo(c *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		_, _ = c.WriteToUDPAddrPort(buf[:n], peer) // the client may have gone
	}
}

// ask sends a datagram from a socket that is not connected, and hears the answer.
func ask(t *testing.T, c *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte("hello"), to); err != nil {
		t.Fatal(err)
	}
	hear(t, c)
}

func hear(t *testing.T, c *net.UDPConn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if _, _, err := c.ReadFromUDPAddrPort(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
}

func dialUDP(t *testing.T, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *rig) udpEdge(what string, direction model.Direction, port uint16, match func(model.Dependency) bool) model.Dependency {
	r.t.Helper()
	return r.dependency(what, func(d model.Dependency) bool {
		return d.Proto == "udp" && d.Direction == direction && d.Port == port && match(d)
	})
}

// notClientOf fails if anything is a client of a client's port.
func (r *rig) notClientOf(client *net.UDPConn) {
	r.t.Helper()
	r.refresh()
	ours := func(p model.Process) bool { return p.PID == os.Getpid() } // others may have the port elsewhere
	if wrong := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Proto == "udp" && d.Port == udpPort(client) && ours(d.Process) }); len(wrong) != 0 {
		r.t.Errorf("a client was taken for a server: %+v", wrong)
	}
	if wrong := bodies(r, model.PackageListeners, func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(client) && ours(l.Process) }); len(wrong) != 0 {
		r.t.Errorf("a client was taken for a service: %+v", wrong)
	}
}

func TestUDPServiceAndClients(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	for _, c := range []struct {
		name, network, bound, dial, addr string
		dual                             bool
	}{
		{"IPv4", "udp4", "127.0.0.1", "127.0.0.1", "127.0.0.1", false},
		{"every IPv4 address", "udp4", "0.0.0.0", "127.0.0.1", "0.0.0.0", false},
		{"IPv6", "udp6", "::1", "::1", "::1", false},
		{"v4-mapped", "udp", "::", "127.0.0.1", "::", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := bind(t, c.network, c.bound, freePort(t))
			to := netip.AddrPortFrom(netip.MustParseAddr(c.dial), udpPort(server))
			l := r.listener("bound", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == to.Port() })
			if l.Addr.String() != c.addr || l.DualStack != c.dual || l.State != model.StateListening || l.SinceApprox {
				t.Errorf("listener is %+v", l)
			}
			checkSelf(t, l.Process)
			go echo(server)
			unconnected := bind(t, "udp", "", 0)
			for range 3 {
				ask(t, unconnected, to)
			}
			connected := dialUDP(t, to)
			for range 2 {
				if _, err := connected.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				hear(t, connected)
			}
			for _, direction := range []model.Direction{model.Out, model.In} {
				open := uint64(0)
				if direction == model.Out {
					open = 1 // the connected one
				}
				got := r.udpEdge(string(direction), direction, to.Port(), func(d model.Dependency) bool { return d.Connections == 2 && d.Open == open })
				if got.Client != to.Addr() || got.Server != to.Addr() || got.Failed != 0 {
					t.Errorf("%s: %+v", direction, got)
				}
				checkSelf(t, got.Process)
			}
			r.notClientOf(unconnected)
			r.notClientOf(connected)
			_ = connected.Close()
			r.udpEdge("closed", model.Out, to.Port(), func(d model.Dependency) bool { return d.Open == 0 && d.Connections == 2 })
			_ = server.Close()
			r.listener("ended", func(l model.Listener) bool {
				return l.Proto == "udp" && l.Port == to.Port() && l.State == model.StateEnded
			})
		})
	}
}

// A server that sends long after it was asked, to a peer whose flow is at rest, is
// still one; and one on a port that it did not choose is one once it is asked.
func TestUDPServerOnAnyPort(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", 0)
	client := bind(t, "udp4", "127.0.0.1", 0)
	if found := bodies(r, model.PackageListeners, func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(server) }); len(found) != 0 {
		t.Errorf("a service before anybody asked: %+v", found)
	}
	go echo(server)
	ask(t, client, server.LocalAddr().(*net.UDPAddr).AddrPort())
	r.listener("asked", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(server) })
	r.udpEdge("in", model.In, udpPort(server), func(d model.Dependency) bool { return d.Connections == 1 })
	r.notClientOf(client)
}

// Both ways through one socket, each by who sent first, as ntpd does.
func TestUDPBothWays(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	peer := bind(t, "udp4", "127.0.0.2", freePort(t))
	middle := bind(t, "udp4", "127.0.0.1", freePort(t))
	client := bind(t, "udp4", "127.0.0.3", 0)
	go echo(peer)
	ask(t, middle, peer.LocalAddr().(*net.UDPAddr).AddrPort())
	if _, err := client.WriteToUDP([]byte("x"), middle.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	hear(t, middle)
	ask(t, middle, peer.LocalAddr().(*net.UDPAddr).AddrPort())
	up := r.udpEdge("to its server", model.Out, udpPort(peer), func(d model.Dependency) bool { return d.Connections == 1 })
	down := r.udpEdge("from its client", model.In, udpPort(middle), func(d model.Dependency) bool { return d.Connections == 1 })
	if up.Server.String() != "127.0.0.2" || up.Client.String() != "127.0.0.1" || down.Client.String() != "127.0.0.3" {
		t.Errorf("%s -> %s, %s -> %s", up.Client, up.Server, down.Client, down.Server)
	}
	r.notClientOf(client)
}

// Workers that share a port are one service.
func TestUDPReusePort(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	port := freePort(t)
	var workers []*net.UDPConn
	for range 4 {
		workers = append(workers, bind(t, "udp4", "127.0.0.1", port, unix.SO_REUSEPORT))
	}
	match := func(sockets int) func(model.Listener) bool {
		return func(l model.Listener) bool {
			return l.Proto == "udp" && l.Port == uint16(port) && l.Sockets == sockets
		}
	}
	r.listener("four workers", match(4))
	_ = workers[0].Close()
	if l := r.listener("three workers", match(3)); l.State != model.StateListening {
		t.Errorf("listener is %+v", l)
	}
}

func TestUDPRefused(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	port := uint16(freePort(t))
	c := dialUDP(t, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
	_, _ = c.Write([]byte("x")) // refused: the next call says so
	got := r.udpEdge("refused", model.Out, port, func(d model.Dependency) bool { return d.Failed == 1 })
	if got.Refused != 1 || got.Connections != 0 || got.Attempts != 1 {
		t.Errorf("counters are %+v", got.Counters)
	}
}

// Name resolution connects sockets only to see their source address.
func TestUDPConnectAlone(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	to := server.LocalAddr().(*net.UDPAddr)
	for range 20 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		_ = unix.Close(fd)
	}
	marker := bind(t, "udp4", "127.0.0.9", 0)
	go echo(server)
	ask(t, marker, to.AddrPort())
	r.udpEdge("the one that sent", model.Out, uint16(to.Port), func(d model.Dependency) bool {
		return d.Connections == 1 && d.Open == 0 && d.Client.String() == "127.0.0.9"
	})
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
		return d.Proto == "udp" && d.Port == uint16(to.Port) && d.Client.String() != "127.0.0.9"
	}) {
		t.Errorf("nothing was sent, but there is %+v", d)
	}
	silent := dialUDP(t, to.AddrPort()) // sends nothing that anybody sees, and stays
	r.udpEdge("the one that stays", model.Out, uint16(to.Port), func(d model.Dependency) bool {
		return d.Open == 1 && d.Client.String() == "127.0.0.1"
	})
	_ = silent.Close()
}

// What is sent to all, and what comes back from whoever heard it, makes no edges.
func TestUDPToAll(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	port := freePort(t)
	asks := bind(t, "udp4", "127.0.0.1", port)
	answers := bind(t, "udp4", "127.0.0.2", port)
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 17, 3), Port: port}
	_, _ = asks.WriteToUDP([]byte("x"), group) // there may be no route
	if _, err := answers.WriteToUDP([]byte("x"), asks.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	hear(t, asks)
	waitFor(r, "counted", func() []bool {
		stats, err := r.Stats()
		if err != nil || stats.Transitions["udp_to_all"] == 0 || stats.Transitions["udp_stray"] == 0 {
			return nil
		}
		return []bool{true}
	})
	r.refresh()
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
		return d.Proto == "udp" && d.Port == uint16(port) && d.Direction == model.In
	}) {
		t.Errorf("an answer was taken for a question: %+v", d)
	}
}

// What is sent to all of a subnet likewise, connected or not: its address is told from a host's by
// the interfaces alone, and is that of a host where a subnet is smaller.
func TestUDPToSubnet(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	inNetns(t, func() {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Fatal(err)
		}
		for _, subnet := range []string{"192.0.2.1/25", "198.51.100.126/31"} {
			address, err := netlink.ParseAddr(subnet)
			if err != nil {
				t.Fatal(err)
			}
			if err := netlink.AddrAdd(lo, address); err != nil {
				t.Fatal(err)
			}
		}
		port := freePort(t)
		server := bind(t, "udp4", "0.0.0.0", port)
		go echo(server)
		asks := bind(t, "udp4", "192.0.2.1", freePort(t))
		everybody := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.127"), uint16(port))
		ask(t, asks, everybody) // somebody answers
		connected := dialUDP(t, everybody)
		if _, err := connected.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		host := netip.AddrPortFrom(netip.MustParseAddr("198.51.100.127"), uint16(port))
		_, _ = asks.WriteToUDPAddrPort([]byte("x"), host) // nobody is there
		r.udpEdge("to a host", model.Out, uint16(port), func(d model.Dependency) bool { return d.Server == host.Addr() })
	})
	r.refresh()
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Proto == "udp" && d.Server.String() == "192.0.2.127" }) {
		t.Errorf("to all of a subnet: %+v", d)
	}
}
