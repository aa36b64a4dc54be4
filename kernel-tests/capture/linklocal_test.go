package capture

import (
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Two cables, at each of which both ends have the same addresses: near0 and near1 is who dials.
var (
	cables     = []string{"left", "right"}
	nearEnd    = netip.MustParseAddr("fe80::2")
	farEnd     = netip.MustParseAddr("fe80::1")
	nearSuffix = "0"
	farSuffix  = "1"
)

// inCables runs fn in a network namespace that has the cables with all their ends. The kernel sends
// what is for a link-local address by the interface that is named, though it has that address too.
func inCables(t *testing.T, fn func()) {
	t.Helper()
	inNetns(t, func() {
		for _, cable := range cables {
			lay(t, cable)
		}
		waiting := exec.Command(os.Args[0], childArg) // by which the namespace is found
		if err := waiting.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = waiting.Process.Kill(), waiting.Wait() })
		fn()
	})
}

func lay(t *testing.T, cable string) {
	t.Helper()
	near, far := cable+nearSuffix, cable+farSuffix
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: near}, PeerName: far}); err != nil {
		t.Fatal(err)
	}
	for name, addr := range map[string]netip.Addr{near: nearEnd, far: farEnd} {
		// No other link-local address.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/addr_gen_mode", []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		at := &netlink.Addr{IPNet: &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(64, 128)}, Flags: unix.IFA_F_NODAD}
		if err := netlink.AddrAdd(link, at); err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			t.Fatal(err)
		}
	}
}

// holding accepts connections and closes them when the peer does.
func holding(t *testing.T) uint16 {
	t.Helper()
	l := listen(t, "tcp6", "[::]:0", false)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	return portOf(l)
}

func dialCable(t *testing.T, cable string, port uint16) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp6", netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// onCable waits for the one dependency of an end of a cable on a port that is as it should be, and
// looks at all of it that names the link.
func (r *rig) onCable(proto, cable string, end model.Direction, port uint16, want func(model.Dependency) bool) {
	r.t.Helper()
	on, key := cable+nearSuffix, "/fe80::2->[fe80::1%"+cable+nearSuffix+"]:"
	if end == model.In {
		on, key = cable+farSuffix, "/fe80::2%"+cable+farSuffix+"->[fe80::1]:"
	}
	got := r.settled(proto+" "+string(end)+" on "+on, func(d model.Dependency) bool {
		return d.Proto == proto && d.Direction == end && d.Port == port && d.Interface == on
	}, want)
	if want := key + strconv.Itoa(int(port)) + "/" + proto; !strings.Contains(got.Key(), want) {
		r.t.Errorf("key is %q, want %q in it", got.Key(), want)
	}
	if got.Client != nearEnd || got.Server != farEnd {
		r.t.Errorf("%s on %s is between %s and %s", proto, on, got.Client, got.Server)
	}
}

// ends looks at both ends of each cable.
func (r *rig) ends(proto string, port uint16, want func(model.Dependency) bool) {
	r.t.Helper()
	for _, cable := range cables {
		r.onCable(proto, cable, model.Out, port, want)
		r.onCable(proto, cable, model.In, port, want)
	}
	r.refresh()
	all := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Proto == proto && d.Port == port })
	if len(all) != 2*len(cables) {
		r.t.Errorf("%d dependencies of %s on port %d, want one for each end of a cable: %+v", len(all), proto, port, all)
	}
}

// Peers at the same link-local address on two links are two, on either side, and those of connections
// that are older than the agent are the same as of those that come later.
func TestLinkLocalPeers(t *testing.T) {
	inCables(t, func() {
		port := holding(t)
		for _, cable := range cables {
			dialCable(t, cable, port)
		}
		r := startUDP(t, bpf.Limits{})
		r.ends("tcp", port, func(d model.Dependency) bool { return d.Adopted == 1 && d.Open == 1 && d.Connections == 0 })
		for _, cable := range cables {
			_ = dialCable(t, cable, port).Close()
		}
		r.ends("tcp", port, func(d model.Dependency) bool { return d.Adopted == 1 && d.Open == 1 && d.Connections == 1 })
	})
}

// Those of UDP likewise: a socket that is connected to nobody asks one and the other in turn.
func TestLinkLocalPeersOfUDP(t *testing.T) {
	inCables(t, func() {
		older := bind(t, "udp6", "::", freePort(t))
		go echo(older)
		for _, cable := range cables {
			c := dialUDP(t, netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), udpPort(older)))
			converse(t, c, netip.AddrPort{}, 5)
		}
		r := startUDPBytes(t, bpf.Limits{})
		server := bind(t, "udp6", "::", freePort(t))
		go reflectAll(server)
		client := bind(t, "udp6", "::", 0)
		for range 3 {
			for i, cable := range cables {
				converse(t, client, netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), udpPort(server)), 100*(i+1))
			}
		}
		r.ends("udp", udpPort(server), func(d model.Dependency) bool {
			bytes := uint64(300)
			if d.Interface[:len(d.Interface)-1] == cables[1] {
				bytes = 600
			}
			return d.Connections == 1 && d.DatagramsSent == 3 && d.DatagramsReceived == 3 && d.BytesSent == bytes && d.BytesReceived == bytes
		})
		for _, cable := range cables {
			r.onCable("udp", cable, model.Out, udpPort(older), func(d model.Dependency) bool { return d.Adopted == 1 && d.Open == 1 })
			c := dialUDP(t, netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), udpPort(server)))
			converse(t, c, netip.AddrPort{}, 5)
			_ = c.Close()
		}
		r.ends("udp", udpPort(server), func(d model.Dependency) bool { return d.Connections == 2 && d.Open == 0 })
	})
}

// Who answers by an interface that is named beside the address answers to who asked.
func TestLinkLocalAnswerByPacketInfo(t *testing.T) {
	inCables(t, func() {
		r := startUDP(t, bpf.Limits{})
		server, client, other := bind(t, "udp6", "::", freePort(t)), bind(t, "udp6", "::", 0), bind(t, "udp6", "::", 0)
		for _, c := range []*net.UDPConn{client, other} {
			for _, cable := range cables {
				to := netip.AddrPortFrom(farEnd.WithZone(cable+nearSuffix), udpPort(server))
				if _, err := c.WriteToUDPAddrPort([]byte("hello"), to); err != nil {
					t.Fatal(err)
				}
				hear(t, server)
			}
		}
		for _, cable := range cables {
			far, err := net.InterfaceByName(cable + farSuffix)
			if err != nil {
				t.Fatal(err)
			}
			info := unix.PktInfo6(&unix.Inet6Pktinfo{Ifindex: uint32(far.Index)})
			if _, _, err := server.WriteMsgUDPAddrPort([]byte("hello"), info, netip.AddrPortFrom(nearEnd, udpPort(client))); err != nil {
				t.Fatal(err)
			}
			hear(t, client)
		}
		// And who leaves it to the kernel answers on the link of the one who went last.
		if _, err := server.WriteToUDPAddrPort([]byte("hello"), netip.AddrPortFrom(nearEnd, udpPort(client))); err != nil {
			t.Fatal(err)
		}
		r.ends("udp", udpPort(server), func(d model.Dependency) bool { return d.Connections == 2 })
		r.notClientOf(client)
	})
}
