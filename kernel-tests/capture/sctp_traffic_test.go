package capture

import (
	"encoding/binary"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// sctpSizes are of messages with one byte, without and with padding, and of many chunks each.
var sctpSizes = []int{1, 2, 3, 4, 5, 999, 1000, 1001, 4096, 60_001, 7, 1, 30_000, 12, 13, 14, 15, 16, 2000, 20_000, 6, 8}

// small has messages cut into chunks of a thousand bytes and less.
func small(fd int) error { return setSCTP(fd, sctpMaxSegment, 0, 1000) }

// What associations move is told while they are open, to the byte, and the same once they
// have ended.
func TestSCTPTraffic(t *testing.T) {
	r := startSCTP(t)
	if err := r.kernel.SCTPTraffic(); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{"127.0.0.1", "::1"} {
		for _, server := range sctpStyles {
			for _, client := range sctpStyles {
				t.Run(client.name+" to "+server.name+" at "+at, func(t *testing.T) {
					sctpTells(t, r, sctpConnect(t, client, server, at, small))
				})
			}
		}
	}
	t.Run("interleaved", func(t *testing.T) {
		var p sctpPair
		inNetns(t, func() {
			if err := os.WriteFile("/proc/sys/net/sctp/intl_enable", []byte("1"), 0o644); err != nil {
				t.Error(err)
			}
			p = sctpConnect(t, sctpStyles[0], sctpStyles[0], "127.0.0.1", func(fd int) error {
				return errors.Join(small(fd), setSCTP(fd, sctpFragmentInterleave, 2), setSCTP(fd, sctpInterleaving, 0, 1))
			})
		})
		if got := binary.NativeEndian.Uint32(getSCTP(t, p.client.fd, sctpInterleaving)[4:]); got != 1 {
			t.Errorf("messages are not interleaved: %d", got)
		}
		sctpTells(t, r, p)
	})
	if stats, err := r.Stats(); err != nil || stats.Drops["edge_lost"] != 0 || stats.Transitions["stale"] != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// sctpTells has both ends of an association send, and closes them.
func sctpTells(t *testing.T, r *rig, p sctpPair) {
	defer closeFD(t, p.listener)
	const hello = 5
	r.moved("hello", p.port, hello, 0, 1)
	there, err1 := sctpMove(p.client, p.server, sctpSizes...)
	back, err2 := sctpMove(p.server, p.client, sctpSizes[5:]...)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	there += hello
	first := r.moved("open", p.port, uint64(there), uint64(back), 1)
	more, err := sctpMove(p.server, p.client, 100)
	if err != nil {
		t.Fatal(err)
	}
	later := r.moved("open still", p.port, uint64(there), uint64(back+more), 1)
	if first.RTTMicros == 0 || later.OpenRTTs.Count() != 1 || later.OpenAges.Count() != 1 || later.RTTs.Count() != 0 || later.Lifetimes.Count() != 0 {
		t.Errorf("open: %+v", later.Counters)
	}
	p.close(t)
	r.moved("closed", p.port, uint64(there), uint64(back+more), 0)
	for _, direction := range []model.Direction{model.Out, model.In} {
		d := r.fares(p.port, direction, 1)
		if d.RTTMicros == 0 || d.RTTs.Count() != 1 || d.Lifetimes.Count() != 1 || d.OpenRTTs.Count() != 0 || d.Retransmits != 0 {
			t.Errorf("closed, %s: %+v", direction, d.Counters)
		}
	}
}

// Associations that move much at once, each on a processor of its own at both ends, lose no byte.
func TestSCTPTrafficAtOnce(t *testing.T) {
	r := startSCTP(t)
	const pairs, rounds = 6, 20
	listener, port := sctpListen(t, unix.SOCK_STREAM, "127.0.0.1")
	defer closeFD(t, listener)
	ends := make([]sctpPair, pairs)
	for i := range ends {
		fd := sctpSocket(t, unix.AF_INET, unix.SOCK_STREAM)
		if err := small(fd); err != nil {
			t.Fatal(err)
		}
		to := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(port)}
		if err := uninterrupted(func() error { return unix.Connect(fd, &to) }); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Write(fd, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		ends[i] = sctpPair{client: sctpEnd{fd: fd}, server: sctpEnd{fd: sctpTake(t, listener, unix.SOCK_STREAM)}}
	}
	there, back := pairs*5, 0
	for _, size := range sctpSizes {
		there += pairs * rounds * size
		back += pairs * rounds * size
	}
	var busy sync.WaitGroup
	for _, p := range ends {
		for _, way := range [][2]sctpEnd{{p.client, p.server}, {p.server, p.client}} {
			busy.Go(func() {
				for range rounds {
					if _, err := sctpMove(way[0], way[1], sctpSizes...); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	busy.Wait()
	r.moved("open", port, uint64(there), uint64(back), pairs)
	for _, p := range ends {
		closeFD(t, p.client.fd, p.server.fd)
	}
	r.moved("closed", port, uint64(there), uint64(back), 0)
}

// Of associations that are older than the capture, what they move from then on is told.
func TestSCTPTrafficOfOlder(t *testing.T) {
	loadSCTP(t)
	p := sctpConnect(t, sctpStyles[0], sctpStyles[0], "127.0.0.1", small)
	defer closeFD(t, p.listener)
	if _, err := sctpMove(p.client, p.server, sctpSizes...); err != nil {
		t.Fatal(err)
	}
	r := startSCTP(t)
	r.moved("as found", p.port, 0, 0, 1)
	there, err1 := sctpMove(p.client, p.server, 3000, 1)
	back, err2 := sctpMove(p.server, p.client, 10)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	r.moved("open", p.port, uint64(there), uint64(back), 1)
	p.close(t)
	d := r.moved("closed", p.port, uint64(there), uint64(back), 0)
	if d.Adopted != 1 || d.Lifetimes.Count() != 0 || d.AdoptedTraffic != (model.Traffic{}) {
		t.Errorf("%+v", d.Counters)
	}
}

// What is lost on the way and sent again is a retransmission, as often as the kernel says, and its
// bytes count once.
func TestSCTPRetransmissions(t *testing.T) {
	r := startSCTP(t)
	p := sctpConnect(t, sctpStyles[0], sctpStyles[0], "127.0.0.1", func(fd int) error { return setSCTP(fd, sctpRTOInfo, 0, 50, 500, 20) })
	defer closeFD(t, p.listener)
	until(t, "acknowledged", func() bool { return sctpUnacknowledged(t, p.client.fd) == 0 })
	drop := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}} // nothing of any packet
	program := unix.SockFprog{Len: 1, Filter: &drop[0]}
	if err := unix.SetsockoptSockFprog(p.server.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		t.Fatal(err)
	}
	if err := p.client.send(777, 3, 0); err != nil {
		t.Fatal(err)
	}
	until(t, "sent again", func() bool { return sctpRetransmitted(t, p.client.fd) > 1 })
	if err := unix.SetsockoptInt(p.server.fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); err != nil {
		t.Fatal(err)
	}
	if err := p.server.receive(777); err != nil {
		t.Fatal(err)
	}
	until(t, "acknowledged", func() bool { return sctpUnacknowledged(t, p.client.fd) == 0 })
	want := sctpRetransmitted(t, p.client.fd)
	out := r.moved("open", p.port, 5+777, 0, 1)
	if out.Retransmits != want || out.OpenTraffic.Retransmits != want {
		t.Errorf("%d chunks were sent again: %+v", want, out.Counters)
	}
	p.close(t)
	if out := r.moved("closed", p.port, 5+777, 0, 0); out.Retransmits != want {
		t.Errorf("%d chunks were sent again: %+v", want, out.Counters)
	}
}

// The round-trip time is what a program sees too: here the peer takes its time to acknowledge.
func TestSCTPRoundTrips(t *testing.T) {
	r := startSCTP(t)
	const delay, rounds = 100 * time.Millisecond, 12
	p := sctpConnect(t, sctpStyles[0], sctpStyles[0], "127.0.0.1", func(fd int) error {
		return setSCTP(fd, sctpDelayedSACK, 0, uint32(delay.Milliseconds()), 2)
	})
	defer closeFD(t, p.listener)
	until(t, "acknowledged", func() bool { return sctpUnacknowledged(t, p.client.fd) == 0 })
	var longest time.Duration
	for range rounds {
		begun := time.Now()
		if _, err := sctpMove(p.client, p.server, 10); err != nil {
			t.Fatal(err)
		}
		until(t, "acknowledged", func() bool { return sctpUnacknowledged(t, p.client.fd) == 0 })
		longest = max(longest, time.Since(begun))
	}
	d := r.moved("open", p.port, 5+10*rounds, 0, 1)
	// From the first one, which was acknowledged at once, by an eighth each time.
	if got := time.Duration(d.RTTMicros) * time.Microsecond; got < delay/2 || got > longest {
		t.Errorf("%v, want more than half of %v and at most %v", got, delay, longest)
	}
	p.close(t)
	if closed := r.fares(p.port, model.Out, 1); closed.RTTMicros != d.RTTMicros || closed.RTTs != d.OpenRTTs {
		t.Errorf("open %d, %v; closed %d, %v", d.RTTMicros, bucketsOf(d.OpenRTTs), closed.RTTMicros, bucketsOf(closed.RTTs))
	}
}
