package capture

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"

	"golang.org/x/sys/unix"
)

func startUDPBytes(t *testing.T, limits bpf.Limits) *rig {
	t.Helper()
	limits.UDPBytes = true
	r := startUDP(t, limits)
	if err := r.kernel.UDPBytes(); err != nil {
		t.Fatalf("bytes of UDP are not counted: %+v", err)
	}
	return r
}

// moved is what one way had of bytes and of datagrams.
type moved struct{ bytes, datagrams uint64 }

// wantMoved waits until both ends of a service have moved so much, as the client sees it.
func (r *rig) wantMoved(port uint16, sent, received moved) {
	r.t.Helper()
	for end, want := range map[model.Direction][2]moved{model.Out: {sent, received}, model.In: {received, sent}} {
		r.settled("bytes and datagrams "+string(end), func(d model.Dependency) bool {
			return d.Proto == "udp" && d.Direction == end && d.Port == port
		}, func(d model.Dependency) bool {
			return moved{d.BytesSent, d.DatagramsSent} == want[0] && moved{d.BytesReceived, d.DatagramsReceived} == want[1] &&
				d.Retransmits == 0 && d.RTTMicros == 0
		})
	}
}

// converse sends datagrams of some sizes, each of which is answered before the next.
func converse(t *testing.T, c *net.UDPConn, to netip.AddrPort, sizes ...int) {
	t.Helper()
	for _, size := range sizes {
		var err error
		if c.RemoteAddr() != nil {
			_, err = c.Write(make([]byte, size))
		} else {
			_, err = c.WriteToUDPAddrPort(make([]byte, size), to)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if n, err := c.Read(make([]byte, 1<<16)); err != nil || n != size {
			t.Fatalf("%d bytes came back of %d: %v", n, size, err)
		}
	}
}

// reflectAll answers each datagram with itself, of whatever size.
func reflectAll(c *net.UDPConn) {
	buf := make([]byte, 1<<16)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		_, _ = c.WriteToUDPAddrPort(buf[:n], peer) // the client may have gone
	}
}

func setOption(t *testing.T, c *net.UDPConn, level, option, value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), level, option, value) })
	if err := errors.Join(err, refused); err != nil {
		t.Fatal(err)
	}
}

// TestUDPBytes sums up datagrams of all sizes, none, and such as are sent in fragments, over
// sockets that are connected and not.
func TestUDPBytes(t *testing.T) {
	r := startUDPBytes(t, bpf.Limits{})
	sizes, sum := []int{0, 1, 512, 1400, 9000, 60000}, uint64(0)
	for _, size := range sizes {
		sum += uint64(size)
	}
	for _, c := range []struct{ name, network, bound, dial string }{
		{"IPv4", "udp4", "127.0.0.1", "127.0.0.1"},
		{"IPv6", "udp6", "::1", "::1"},
		{"v4-mapped", "udp", "::", "127.0.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := bind(t, c.network, c.bound, freePort(t))
			go reflectAll(server)
			to := netip.AddrPortFrom(netip.MustParseAddr(c.dial), udpPort(server))
			converse(t, bind(t, "udp", "", 0), to, sizes...)
			once := moved{sum, uint64(len(sizes))}
			r.wantMoved(to.Port(), once, once)
			converse(t, dialUDP(t, to), to, sizes...)
			twice := moved{2 * once.bytes, 2 * once.datagrams}
			r.wantMoved(to.Port(), twice, twice)
		})
	}
	if stats, err := r.Stats(); err != nil || stats.Drops["udp_bytes_lost"] != 0 {
		t.Errorf("bytes were lost: %+v, %v", stats.Drops, err)
	}
}

// TestUDPBytesBeforeTheyAreRead sends to a server that reads nothing so far: to which edge
// they belong is known when it does.
func TestUDPBytesBeforeTheyAreRead(t *testing.T) {
	r := startUDPBytes(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server))
	const clients, each, size = 20, 5, 100
	for range clients {
		c := dialUDP(t, to)
		for range each {
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range clients * each {
		_ = server.SetReadDeadline(time.Now().Add(patience))
		if _, _, err := server.ReadFromUDPAddrPort(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	r.wantMoved(to.Port(), moved{clients * each * size, clients * each}, moved{})
}

// TestUDPBytesOfSegments sends many datagrams at once, which the kernel cuts apart.
func TestUDPBytesOfSegments(t *testing.T) {
	r := startUDPBytes(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server))
	client := dialUDP(t, to)
	setOption(t, client, unix.SOL_UDP, unix.UDP_SEGMENT, 1000)
	const all = 30_500
	if _, err := client.Write(make([]byte, all)); err != nil {
		t.Fatal(err)
	}
	for heard := 0; heard < all; {
		_ = server.SetReadDeadline(time.Now().Add(patience))
		n, _, err := server.ReadFromUDPAddrPort(make([]byte, 2000))
		if err != nil || n > 1000 {
			t.Fatalf("%d bytes: %v", n, err)
		}
		heard += n
	}
	r.wantMoved(to.Port(), moved{all, (all + 999) / 1000}, moved{})
}

// TestUDPBytesOfNobody: what goes to everybody is nobody's, and what nobody asked for
// does not count where it comes in.
func TestUDPBytesOfNobody(t *testing.T) {
	r := startUDPBytes(t, bpf.Limits{})
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	go reflectAll(server)
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server))
	client := bind(t, "udp4", "127.0.0.1", 0)
	converse(t, client, to, 300)
	all := netip.AddrPortFrom(netip.MustParseAddr("224.0.0.251"), to.Port())
	if _, err := client.WriteToUDPAddrPort(make([]byte, 1000), all); err != nil {
		t.Logf("no way for what goes to all: %v", err)
	}
	stranger := bind(t, "udp4", "127.0.0.1", 0)
	if _, err := stranger.WriteToUDPAddrPort(make([]byte, 700), netip.AddrPortFrom(to.Addr(), udpPort(client))); err != nil {
		t.Fatal(err)
	}
	hear(t, client)
	converse(t, client, to, 50)
	r.wantMoved(to.Port(), moved{350, 2}, moved{350, 2})
}

// TestUDPBytesOfMany has many clients talk at once, by sockets that several share, with servers
// each of whose sockets several read from: no byte is another's.
func TestUDPBytesOfMany(t *testing.T) {
	r := startUDPBytes(t, bpf.Limits{})
	const servers, readers, sockets, senders, each = 3, 2, 8, 3, 200
	var to [servers]netip.AddrPort
	for i := range to {
		server := bind(t, "udp4", "127.0.0.1", freePort(t))
		setOption(t, server, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20) // a flow of which nothing is read has no edge
		to[i] = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server))
		for range readers {
			go reflectAll(server)
		}
	}
	var sent, datagrams [servers]atomic.Uint64
	var sending sync.WaitGroup
	for range sockets {
		client := bind(t, "udp4", "127.0.0.1", 0)
		for s := range senders {
			sending.Go(func() {
				for n := range each {
					at := (s + n) % servers
					size := n * 7 % 1200
					if _, err := client.WriteToUDPAddrPort(make([]byte, size), to[at]); err != nil {
						t.Error(err)
					}
					sent[at].Add(uint64(size))
					datagrams[at].Add(1)
				}
			})
		}
	}
	sending.Wait()
	for i, server := range to {
		for _, end := range []model.Direction{model.Out, model.In} {
			r.settled("bytes "+string(end), func(d model.Dependency) bool {
				return d.Proto == "udp" && d.Direction == end && d.Port == server.Port()
			}, func(d model.Dependency) bool {
				asked := moved{d.BytesSent, d.DatagramsSent}
				if end == model.In {
					asked = moved{d.BytesReceived, d.DatagramsReceived}
				}
				return asked == moved{sent[i].Load(), datagrams[i].Load()} && d.Connections == sockets
			})
		}
	}
	if stats, err := r.Stats(); err != nil || stats.Drops["udp_bytes_lost"] != 0 {
		t.Errorf("bytes were lost: %+v, %v", stats.Drops, err)
	}
}
