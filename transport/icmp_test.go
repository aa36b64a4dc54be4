package transport

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"

	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NOT TRIED: raw ICMP sockets need root. Run this test as root.")
	}
}

// closed is an address at which nothing listens.
func closed(t *testing.T, at string) model.RingMember {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Skipf("NOT TRIED: %v", err)
	}
	addr := c.LocalAddr().(*net.UDPAddr).AddrPort()
	_ = c.Close()
	return model.RingMember{Host: "closed", Addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())}
}

func TestRefusedByAKernel(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(at, func(t *testing.T) {
			a, nobody := open(t, "a", at, 3), closed(t, at)
			for range 3 {
				if err := a.Send(testRing, nobody, word(1)); err != nil {
					t.Fatal(err)
				}
				if g := a.next(); g.refused != nobody.Addr {
					t.Errorf("got %+v, want %v", g, nobody.Addr)
				}
			}
			if err := a.PutBeat(testRing, "closed", keys(2, 1, 2, 3)); err != nil {
				t.Fatal(err)
			}
			if err := a.Beat(testRing, nobody, 0); err != nil {
				t.Fatal(err)
			}
			if g := a.next(); g.refused != nobody.Addr {
				t.Errorf("got %+v, want %v", g, nobody.Addr)
			}
		})
	}
}

// While other datagrams come and go, whose sending takes the errors' sign: each refusal is
// told, and nothing that was sent to others is lost.
func TestRefusedAmongTraffic(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		t.Run(at, func(t *testing.T) {
			to := at
			if at == "[::]:0" {
				to = "127.0.0.1:0" // by the socket for both families
			}
			a, b, nobody := open(t, "a", at, 3), open(t, "b", to, 5), closed(t, to)
			const n = 200
			for i := range uint64(n) {
				m := word(i)
				if err := a.Send(testRing, nobody, m); err != nil {
					t.Fatal(err)
				}
				a.send(b, m)
			}
			for range n {
				if g := a.next(); g.refused != nobody.Addr {
					t.Fatalf("got %+v", g)
				}
				if g := b.next(); g.m.Type != wire.ProbeAnswer {
					t.Fatalf("got %+v", g)
				}
			}
			if s := a.Stats(); s.Sent != 2*n || s.Failed != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Errors about datagrams that this host did not send say nothing of anybody: who invents
// them does not know their tags.
func TestForgedRefusals(t *testing.T) {
	needRoot(t)
	// What the kernel learns of the way to the target it believes for ten minutes: one code says
	// that large packets do not get there. So nobody else has this address.
	a, target := open(t, "a", "127.0.0.1:0", 3), netip.MustParseAddrPort("127.31.9.4:9")
	raw, err := net.ListenIP("ip4:icmp", &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	b := open(t, "b", "127.0.0.1:0", 5)
	for code := range byte(16) {
		if _, err := raw.WriteToIP(unreachable(code, a.Addr(), target), &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond) // the sign of it is the latest one's
		b.send(a, word(uint64(code)))
		if g := a.next(); g.m.ID != uint64(code) || g.refused.IsValid() { // it hears on, whatever it was told
			t.Fatalf("after code %d: got %+v", code, g)
		}
	}
}

// unreachable is an ICMP error about a datagram from one address to another.
func unreachable(code byte, from, to netip.AddrPort) []byte {
	forged := wire.AppendHeader(nil, wire.Header{Type: wire.Probe, Key: 2, Set: wire.RingSet(testRing)}, wire.TagKey{})
	size := 28 + len(forged)
	ip := make([]byte, 28, size)
	ip[0], ip[3], ip[8], ip[9] = 0x45, byte(size), 64, unix.IPPROTO_UDP
	copy(ip[12:], from.Addr().AsSlice())
	copy(ip[16:], to.Addr().AsSlice())
	ip[20], ip[21], ip[22], ip[23] = byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port())
	ip[25] = byte(8 + len(forged))
	b := append([]byte{3, code, 0, 0, 0, 0, 0, 0}, append(ip, forged...)...)
	sum := checksum(b)
	b[2], b[3] = byte(sum>>8), byte(sum)
	return b
}

// pinged is a member at an address. In a ring without keys no question goes with a ping.
func pinged(addr string) model.RingMember {
	return model.RingMember{Host: "x", Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 9)}
}

func TestPing(t *testing.T) {
	needRoot(t)
	for at, addr := range map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "::1"} {
		a := open(t, "a", at, 3)
		if !a.Stats().Pinging {
			t.Fatal("cannot ping")
		}
		for range 3 {
			a.Ping("without keys", pinged(addr))
			if g := a.next(); g.echoed != netip.MustParseAddr(addr) {
				t.Errorf("got %+v", g)
			}
		}
	}
}

// Answers to others' pings are told to nobody, nor are answers with a wrong tag.
func TestPingsOfOthers(t *testing.T) {
	needRoot(t)
	a, b := open(t, "a", "127.0.0.1:0", 3), open(t, "b", "127.0.0.1:0", 4)
	raw, err := net.ListenIP("ip4:icmp", &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, kind := range []byte{echoRequest4, echoReply4} {
		echo := make([]byte, echoSize)
		echo[0], echo[4], echo[5] = kind, byte(a.pinger.id>>8), byte(a.pinger.id)
		sum := checksum(echo)
		echo[2], echo[3] = byte(sum>>8), byte(sum)
		if _, err := raw.WriteToIP(echo, &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			t.Fatal(err)
		}
	}
	b.Ping("without keys", pinged("127.0.0.1"))
	b.next()
	a.Ping("without keys", pinged("127.0.0.1"))
	a.next()
	a.expect(Taken, 0)
	b.expect(Taken, 0)
}

func TestRunEnds(t *testing.T) {
	for range 20 {
		files := openFiles()
		e, err := Open(Config{
			Host: "a", Incarnation: 1, Listen: netip.MustParseAddrPort("127.0.0.1:0"), Logger: slog.New(slog.DiscardHandler),
			Nonces: NewNonces(0, time.Now(), func(uint64) error { return nil }),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx, handler{make(chan got, 1)}) }()
		e.Ping("without keys", pinged("127.0.0.1"))
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
		now := openFiles()
		for deadline := time.Now().Add(patience); now > files && time.Now().Before(deadline); now = openFiles() {
			time.Sleep(time.Millisecond) // who was just sending lets go of a socket a moment later
		}
		if now > files {
			t.Fatalf("%d files are open, %d were before", now, files)
		}
	}
}

// An address that is taken is no reason to leak.
func TestOpenFails(t *testing.T) {
	a := open(t, "a", "127.0.0.1:0", 3)
	_, err := Open(Config{Listen: a.Addr(), Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("error is %v", err)
	}
}
