package capture

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cassini/bpf"
	"cassini/model"
)

// oneOf says whether a value is in a bucket of a histogram, and takes it out of there.
func oneOf(h model.Histogram, us uint64) (model.Histogram, bool) {
	for b := range h.All() {
		if b.Low <= us && (us < b.High || b.High == 0) {
			return h.Minus(model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) { yield(b, 1) })), true
		}
	}
	return h, false
}

// rttOf is what the kernel tells the program itself.
func rttOf(t *testing.T, conn net.Conn) (us uint64) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Error(err)
			return
		}
		us = uint64(info.Rtt)
	})
	if err != nil {
		t.Fatal(err)
	}
	return us
}

// fares waits for the document of one end that counts so many closed connections.
func (r *rig) fares(port uint16, direction model.Direction, closed uint64) model.Dependency {
	r.t.Helper()
	return r.dependency("closed connections, "+string(direction), func(d model.Dependency) bool {
		return d.Port == port && d.Direction == direction && d.Closed == closed
	})
}

// Connections that live for known times, and whose round-trip times the kernel told the
// client as well, each stand in the bucket where they belong.
func TestHealthIsWhatProgramsSee(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	pauses := []time.Duration{0, 3 * time.Millisecond, 60 * time.Millisecond, 600 * time.Millisecond}
	var rtts []uint64
	var lived []span
	for _, pause := range pauses {
		before := time.Now()
		client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
		begun := time.Now()
		send(t, client, server, 1000)
		send(t, server, client, 1000)
		time.Sleep(pause)
		rtts = append(rtts, rttOf(t, client))
		least := time.Since(begun)
		_ = client.(*net.TCPConn).SetLinger(0) // a reset: no packet comes that would change the figure
		_ = client.Close()
		_, _ = io.Copy(io.Discard, server)
		_ = server.Close()
		lived = append(lived, span{least, time.Since(before)})
	}
	out := r.fares(portOf(l), model.Out, uint64(len(pauses)))
	left := out.RTTs
	for _, us := range rtts {
		var ok bool
		if left, ok = oneOf(left, us); !ok {
			t.Errorf("TCP_INFO says %d us; left of %v is %v", rtts, bucketsOf(out.RTTs), bucketsOf(left))
		}
	}
	for _, d := range []model.Dependency{out, r.fares(portOf(l), model.In, uint64(len(pauses)))} {
		if !fit(d.Lifetimes, lived) {
			t.Errorf("%s: they lived for %v, but %v is told", d.Direction, lived, bucketsOf(d.Lifetimes))
		}
		if d.OpenRTTs != "" || d.OpenAges != "" {
			t.Errorf("%s: open %v, %v", d.Direction, bucketsOf(d.OpenRTTs), bucketsOf(d.OpenAges))
		}
	}
}

// span is what is known of how long a connection lived.
type span struct{ least, most time.Duration }

// fit says whether the buckets can be those of the connections, one of each: on a busy
// machine several are possible for one.
func fit(h model.Histogram, lived []span) bool {
	if len(lived) == 0 {
		return h == ""
	}
	s := lived[0]
	for lifetime := s.least; lifetime < 2*s.most; lifetime *= 2 { // ends of buckets may lie between
		if left, ok := oneOf(h, uint64(min(lifetime, s.most).Microseconds())); ok && fit(left, lived[1:]) {
			return true
		}
	}
	return false
}

func bucketsOf(h model.Histogram) map[string]uint64 {
	m := make(map[string]uint64)
	for b, n := range h.All() {
		m[b.String()] = n
	}
	return m
}

// Open connections tell their round-trip time and their age. What is older than the agent
// has no age, but a round-trip time.
func TestHealthOfOpenConnections(t *testing.T) {
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	dial := func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	oldClient, oldServer := accepted(t, l, dial)
	r := start(t, bpf.Limits{})
	client, server := accepted(t, l, dial)
	time.Sleep(20 * time.Millisecond)
	open := r.dependency("open connections", func(d model.Dependency) bool {
		return d.Port == portOf(l) && d.Direction == model.Out && d.Open == 2
	})
	if open.OpenRTTs.Count() != 2 || open.OpenAges.Count() != 1 || open.OpenAges.Quantile(0) < 16384 || open.RTTs != "" || open.Lifetimes != "" {
		t.Errorf("open: %v, %v; closed %v, %v", bucketsOf(open.OpenRTTs), bucketsOf(open.OpenAges), bucketsOf(open.RTTs), bucketsOf(open.Lifetimes))
	}
	for _, c := range []net.Conn{oldClient, oldServer, client, server} {
		_ = c.Close()
	}
	closed := r.fares(portOf(l), model.Out, 2)
	if closed.RTTs.Count() != 2 || closed.Lifetimes.Count() != 1 || closed.OpenRTTs != "" || closed.OpenAges != "" {
		t.Errorf("closed %v, %v; open %v", bucketsOf(closed.RTTs), bucketsOf(closed.Lifetimes), bucketsOf(closed.OpenRTTs))
	}
}

// Every connection of many, over IPv4 and IPv6, is in both histograms of both ends.
func TestHealthCountsEveryConnection(t *testing.T) {
	r := start(t, bpf.Limits{})
	const n = 300
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := listen(t, "tcp", address, false)
		for range n {
			client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
			_, _ = client.Close(), server.Close()
		}
		for _, direction := range []model.Direction{model.Out, model.In} {
			d := r.fares(portOf(l), direction, n)
			if d.RTTs.Count() != n || d.Lifetimes.Count() != n {
				t.Errorf("%s, %s: %v, %v; want %d each", address, direction, bucketsOf(d.RTTs), bucketsOf(d.Lifetimes), n)
			}
		}
	}
}

// Each edge of many has histograms of its own.
func TestHealthOfManyEdges(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "0.0.0.0:0", false)
	n := 4300 // twice as many edges
	if inVM() {
		n = 600 // more than the array has places for
	}
	for i := range n {
		address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 3, byte(i >> 8), byte(i)}), portOf(l)).String()
		client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", address) })
		_, _ = client.Close(), server.Close()
	}
	r.refresh()
	for _, direction := range []model.Direction{model.Out, model.In} {
		all := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == portOf(l) && d.Direction == direction })
		if len(all) != n {
			t.Errorf("%s: %d edges, want %d", direction, len(all), n)
		}
		for _, d := range all {
			if d.Closed == 1 && d.RTTs.Count() != 1 || d.Lifetimes.Count() != d.Closed {
				t.Fatalf("%s to %s: %d closed, %v, %v", direction, d.Server, d.Closed, bucketsOf(d.RTTs), bucketsOf(d.Lifetimes))
			}
		}
	}
	if stats, err := r.Stats(); err != nil || stats.Drops["health_full"] != 0 || int(r.kernel.Limits().Edges) < 2*n {
		t.Errorf("%v, %v", stats.Drops, err)
	}
}
