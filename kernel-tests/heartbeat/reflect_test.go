package heartbeat

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
	"cassini/model/wire"
	"cassini/tools/estate"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	asker, mirrored = "s1-h1", "s1-h2"
	mirrorPort      = 1984
	mirrorLife      = 7
)

// reflection is a reflector on one host of an estate of two, and who asks it on the other.
type reflection struct {
	t      *testing.T
	estate *estate.Estate
	kernel *bpf.Reflector
	set    wire.Set
	key    wire.TagKey
	nonce  uint64
	v4, v6 netip.Addr // of the reflector's host
}

func newReflection(t *testing.T) *reflection {
	t.Helper()
	needTimers(t)
	e, err := estate.New(estate.Config{Prefix: "cassini-reflect", Switches: 1, HostsPerSwitch: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &reflection{t: t, estate: e, set: wire.RingSet(testRing), key: wire.RingTagKey(model.Secret{1}, testRing), v6: netip.MustParseAddr("fd00::2")}
	for _, h := range e.Hosts() {
		if h.Name == mirrored {
			r.v4 = h.Addr
		}
	}
	r.address(asker, "fd00::1/64")
	r.address(mirrored, "fd00::2/64")
	r.on(mirrored, func() error { // each refusal is told
		return errors.Join(os.WriteFile("/proc/sys/net/ipv4/icmp_ratelimit", []byte("0"), 0o600), os.WriteFile("/proc/sys/net/ipv6/icmp/ratelimit", []byte("0"), 0o600))
	})
	kernel, err := bpf.OpenHeartbeats()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kernel.Close() })
	if err := kernel.Put(uint32(r.set), bpf.HeartbeatSet{Keys: []bpf.HeartbeatKey{{ID: 1, K0: r.key.K0, K1: r.key.K1}}}); err != nil {
		t.Fatal(err)
	}
	if r.kernel, err = kernel.OpenReflector(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.kernel.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// on does something in a host's network namespace.
func (r *reflection) on(host string, do func() error) {
	r.t.Helper()
	if err := r.estate.Do(host, do); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reflection) address(host, cidr string) {
	r.t.Helper()
	r.on(host, func() error {
		eth0, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		addr, err := netlink.ParseAddr(cidr)
		if err != nil {
			return err
		}
		addr.Flags = unix.IFA_F_NODAD
		// The estate's hosts have none.
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", []byte("0"), 0o600); err != nil {
			return err
		}
		return netlink.AddrAdd(eth0, addr)
	})
}

// attach reflects what comes for an address; it says whether the kernel can.
func (r *reflection) attach(own netip.Addr) bool {
	r.t.Helper()
	var failed error
	r.on(mirrored, func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err == nil {
			failed = r.kernel.Attach(eth0.Index, netip.AddrPortFrom(own, mirrorPort), mirrorLife)
		}
		return err
	})
	if failed != nil && !errors.Is(failed, bpf.ErrUnsupported) {
		r.t.Fatal(failed)
	}
	return failed == nil
}

// socket is one of the asker's to the reflector's host; without is an option of the socket
// that leaves UDP's sum out.
func (r *reflection) socket(to netip.Addr, without bool) *net.UDPConn {
	r.t.Helper()
	var c *net.UDPConn
	r.on(asker, func() (err error) {
		dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
			if !without {
				return nil
			}
			done := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1) })
			return errors.Join(done, err)
		}}
		conn, err := dialer.DialContext(r.t.Context(), "udp", netip.AddrPortFrom(to, mirrorPort).String())
		if err == nil {
			c = conn.(*net.UDPConn)
		}
		return err
	})
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask is a good question.
func (r *reflection) ask() wire.Header {
	r.nonce++
	return wire.Header{Type: wire.Ask, Key: 1, Set: r.set, Nonce: r.nonce, Incarnation: 3, Progress: 99}
}

// answer is the answer to a question, or nothing where the host answered otherwise.
func (r *reflection) answer(c *net.UDPConn, question []byte) (wire.Header, bool) {
	r.t.Helper()
	if _, err := c.Write(question); err != nil && !errors.Is(err, unix.ECONNREFUSED) {
		r.t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2000)
	n, err := c.Read(b)
	if errors.Is(err, unix.ECONNREFUSED) {
		return wire.Header{}, false
	}
	if err != nil {
		r.t.Fatal(err)
	}
	h, err := wire.ParseHeader(b[:n])
	if err != nil {
		r.t.Fatal(err)
	}
	if err := wire.CheckTag(b[:n], r.key); err != nil {
		r.t.Error(err)
	}
	return h, true
}

func (r *reflection) reflects(c *net.UDPConn, progress uint64) {
	r.t.Helper()
	if err := r.kernel.Progress(progress); err != nil {
		r.t.Fatal(err)
	}
	want := r.ask()
	got, ok := r.answer(c, wire.AppendHeader(nil, want, r.key))
	want.Type, want.Incarnation, want.Progress = wire.Reflected, mirrorLife, progress
	if !ok || got != want {
		r.t.Errorf("got %+v, want %+v", got, want)
	}
}

// sums switches off that the sender leaves sums to its card, which for a cable of the
// kernel is that there are none.
func (r *reflection) sums() {
	r.t.Helper()
	for _, host := range []string{asker, mirrored} {
		r.on(host, func() error {
			e, err := ethtool.NewEthtool()
			if err != nil {
				return err
			}
			defer e.Close()
			return e.Change("eth0", map[string]bool{"tx-checksum-ip-generic": false})
		})
	}
}

// Nothing listens on the host, and its kernel answers: over IPv4 and IPv6, with sums that
// are right whether the sender made them or left them to its card.
func TestReflects(t *testing.T) {
	r := newReflection(t)
	if !r.attach(r.v4) {
		t.Log("this kernel has no tcx, and says so: ICMP alone tells a hung agent there")
		return
	}
	for _, summed := range []bool{false, true} {
		if summed {
			r.sums()
		}
		for name, own := range map[string]netip.Addr{"IPv4": r.v4, "IPv6": r.v6} {
			if !r.attach(own) {
				t.Fatal("it was attached before, and is not now")
			}
			c := r.socket(own, false)
			for progress := range uint64(3) {
				r.reflects(c, progress<<40+progress)
			}
			if t.Failed() {
				t.Fatalf("%s, sums by the sender %v", name, summed)
			}
		}
	}
	if !r.attach(r.v4) {
		t.Fatal("it was attached before, and is not now")
	}
	r.reflects(r.socket(r.v4, true), 5) // without a sum
	if reflected, limited, err := r.kernel.Counters(); err != nil || reflected != 13 || limited != 0 {
		t.Errorf("%d reflected, %d limited, %v", reflected, limited, err)
	}
}

// What is no question with a key, or not for this address and port, goes its way: here, to
// where nothing listens.
func TestReflectsNothingElse(t *testing.T) {
	r := newReflection(t)
	if !r.attach(r.v4) {
		t.Log("this kernel has no tcx, and says so")
		return
	}
	good := wire.AppendHeader(nil, r.ask(), r.key)
	edit := func(i int) []byte { b := append([]byte{}, good...); b[i]++; return b }
	header := func(edit func(*wire.Header)) []byte {
		h := r.ask()
		edit(&h)
		return wire.AppendHeader(nil, h, r.key)
	}
	for name, b := range map[string][]byte{
		"version":      edit(0),
		"flags":        edit(3),
		"tag":          edit(39),
		"too long":     append(append([]byte{}, good...), 0),
		"too short":    good[:39],
		"nothing":      {},
		"a heartbeat":  header(func(h *wire.Header) { h.Type = wire.Heartbeat }),
		"an answer":    header(func(h *wire.Header) { h.Type = wire.Reflected }),
		"another key":  header(func(h *wire.Header) { h.Key = 2 }),
		"another ring": header(func(h *wire.Header) { h.Set++ }),
		"a fragment":   append(append([]byte{}, good...), make([]byte, 4000)...),
	} {
		if h, ok := r.answer(r.socket(r.v4, false), b); ok {
			t.Errorf("%s: answered %+v", name, h)
		}
	}
	if h, ok := r.answer(r.socket(r.v6, false), wire.AppendHeader(nil, r.ask(), r.key)); ok {
		t.Errorf("for another address: answered %+v", h)
	}
	r.reflects(r.socket(r.v4, false), 1)
	if reflected, _, err := r.kernel.Counters(); err != nil || reflected != 1 {
		t.Errorf("%d reflected, %v", reflected, err)
	}
}

// Who recorded a question can send it again and again: the answers are few.
func TestReflectionsAreLimited(t *testing.T) {
	r := newReflection(t)
	if !r.attach(r.v4) {
		t.Log("this kernel has no tcx, and says so")
		return
	}
	c, b := r.socket(r.v4, false), wire.AppendHeader(nil, r.ask(), r.key)
	const sent = 2000
	begin := time.Now()
	for range sent {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	var reflected, limited uint64
	for end := time.Now().Add(patience); reflected+limited < sent && time.Now().Before(end); time.Sleep(time.Millisecond) {
		var err error
		if reflected, limited, err = r.kernel.Counters(); err != nil {
			t.Fatal(err)
		}
	}
	most := 65 + uint64(time.Since(begin).Seconds()*64) // as many as there is room for, and those of the time that it took
	if reflected < 64 || reflected > most || reflected+limited != sent {
		t.Errorf("%d reflected, at most %d are wanted, %d limited, of %d", reflected, most, limited, sent)
	}
}
