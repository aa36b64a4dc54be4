package capture

import (
	"context"
	"errors"
	"testing"
	"time"

	"cassini/bpf"
)

// sockets is a kernel whose open connections moved so much.
type sockets struct {
	Kernel
	open  []bpf.Traffic
	probe error
	reads int
}

func (s *sockets) ProbeTraffic() error { return s.probe }

func (s *sockets) OpenTraffic(_ context.Context, fn func(*bpf.Traffic)) error {
	s.reads++
	for _, t := range s.open {
		fn(&t)
	}
	return nil
}

// What is shown is what closed connections moved and what open ones did; it never
// falls, whatever closes while it is read.
func TestOpenTrafficIsShownOnce(t *testing.T) {
	table := newEdges()
	e := addEdge(table, 80, bpf.DirectionOut)
	read := func(connections, closed, sent uint64) {
		table.update(e, &bpf.Edge{Attempts: connections, Connections: connections, Closed: closed, BytesSent: sent, RttUs: 10 * closed}, clock())
	}
	live := func(sent ...uint64) (sum flow) {
		for _, n := range sent {
			sum.add(&bpf.Traffic{Sent: n, RttUs: 40, LastNs: clock().MonoNs})
		}
		return sum
	}
	for _, c := range []struct {
		name            string
		step            func()
		sent, ofOpen, n uint64
		rtt             uint64
	}{
		{"opened, not yet looked at", func() { read(1, 0, 0) }, 0, 0, 1, 0},
		{"looked at", func() { e.takeLive(live(100), clock().MonoNs, clock()) }, 100, 100, 1, 40},
		{"a second one", func() { read(2, 0, 0); e.takeLive(live(150, 7), clock().MonoNs, clock()) }, 157, 157, 2, 40},
		{"the first closed while it was read: neither tells of it", func() { e.takeLive(live(7), clock().MonoNs, clock()) }, 157, 7, 2, 40},
		{"now its edge does", func() { read(2, 1, 170); e.takeLive(live(9), clock().MonoNs, clock()) }, 179, 9, 2, 25},
		{"the second closed, nobody looked at what is open", func() { read(3, 2, 179+3); e.takeLive(live(5), clock().MonoNs, clock()) }, 187, 5, 3, 20},
		{"all closed", func() { read(3, 3, 200) }, 200, 0, 3, 10},
		{"told of a connection that was not there as the edge was read", func() { e.takeLive(live(1000), clock().MonoNs, clock()) }, 200, 0, 3, 10},
	} {
		c.step()
		body, _, ok := e.of.body()
		if !ok {
			body.Counters = e.of.counters() // nothing moved
		}
		if body.BytesSent != c.sent || body.OpenTraffic.BytesSent != c.ofOpen || body.Connections != c.n || body.RTTMicros != c.rtt {
			t.Errorf("%s: %+v, want %d bytes, %d of open ones, %d us", c.name, body.Counters, c.sent, c.ofOpen, c.rtt)
		}
	}
}

// What an edge had moved stays with its dependency when it is evicted.
func TestTrafficOutlivesItsEdge(t *testing.T) {
	table := newEdges()
	key := edgeKey(80, bpf.DirectionOut)
	other := key
	other.Cgroup = 7
	e := addKey(table, key)
	addKey(table, other)
	table.update(e, &bpf.Edge{Connections: 1, Closed: 1, BytesSent: 5, BytesReceived: 6, Retransmits: 7}, clock())
	table.drop(key)
	if body, _, ok := e.of.body(); !ok || body.BytesSent != 5 || body.BytesReceived != 6 || body.Retransmits != 7 {
		t.Errorf("%v, %+v", ok, body.Counters)
	}
}

// Open connections are read when there are any, on the edges whose they are, and not
// again before they rested.
func TestReadTraffic(t *testing.T) {
	kernel := &sockets{open: []bpf.Traffic{
		{Edge: 2, Life: 1, Sent: 5}, {Edge: 2, Life: 1, Sent: 6},
		{Edge: 2, Sent: 100}, {Edge: 1, Sent: 100}, {Edge: 3, Sent: 100}, // evicted, nobody's, made since
	}}
	c := New(Config{Kernel: kernel})
	e := addEdge(c.edges, 80, bpf.DirectionIn)
	places := []*edge{nil, nil, e}
	look := func() (moved int) {
		t.Helper()
		if err := c.readTraffic(t.Context(), places, clock(), func(*edge) { moved++ }); err != nil {
			t.Fatal(err)
		}
		return moved
	}
	if look(); kernel.reads != 0 {
		t.Error("read although nothing is open")
	}
	c.edges.update(e, &bpf.Edge{Connections: 2, Life: 1}, clock())
	kernel.probe = errors.ErrUnsupported
	if look(); kernel.reads != 0 {
		t.Error("read although the kernel cannot")
	}
	kernel.probe = nil
	if moved := look(); moved != 1 || e.shown().sent != 11 || e.live.sockets != 2 {
		t.Errorf("moved %d, %+v", moved, e.shown())
	}
	c.traffic.after = 1 << 63
	if look(); kernel.reads != 1 || c.traffic.reads != 1 || c.traffic.spared != 1 {
		t.Errorf("read %d times; %+v", kernel.reads, c.traffic)
	}
}

// However long a read takes, the pause behind it is nine times as long.
func TestTrafficIsReadATenthOfTheTime(t *testing.T) {
	var r trafficReads
	r.done(1000, 1200)
	if r.due(1200+1799) || !r.due(1200+1800) {
		t.Errorf("due from %d on", r.after)
	}
	if r.reads != 1 || r.spared != 1 || r.took != 200*time.Nanosecond {
		t.Errorf("counted %+v", r)
	}
}
