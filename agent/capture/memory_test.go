package capture

import (
	"encoding/binary"
	"log/slog"
	"runtime"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// many is a kernel side with so many edges of one program, without keeping them.
type many struct {
	tables
	n int
}

func (m *many) edge(i int) bpf.Edge {
	key := bpf.EdgeKey{Cgroup: 1, ExeIno: 7, Port: 443, Proto: bpf.ProtoTCP, Direction: bpf.DirectionOut, Netns: 5,
		Peer: [16]byte{10: 0xff, 11: 0xff, 12: 10}, Local: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 2}}
	binary.BigEndian.PutUint16(key.Peer[14:], uint16(i))
	return bpf.Edge{Key: key, Attempts: 3, Connections: 3, Closed: 3, BytesSent: 99, BytesReceived: 1000, FirstNs: 5, LastNs: 6,
		Owner: bpf.Sample{Tgid: 4711, StartNs: 2000}}
}

func (m *many) Edge(key bpf.EdgeKey) (bpf.Edge, bool, error) {
	return m.edge(int(binary.BigEndian.Uint16(key.Peer[14:]))), true, nil
}

func (m *many) Edges(fn func(uint32, *bpf.Edge)) error {
	for i := range m.n {
		e := m.edge(i)
		fn(uint32(i), &e)
	}
	return nil
}

func (m *many) Health(uint32) (bpf.Health, error) {
	return bpf.Health{Rtt: [20]uint32{2: 2, 3: 1}, Lifetime: [28]uint32{5: 3}}, nil
}

// heldByEdge is how many bytes of heap an edge takes that has closed connections and was told.
func heldByEdge(tb testing.TB) float64 {
	const n = 20_000
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	kernel := &many{n: n}
	c := New(Config{Host: "web-17", Kernel: kernel, Logger: slog.New(slog.DiscardHandler), Emit: func(...model.Document) {}})
	c.published = true
	c.gone = func(uint64) bool { return false }
	before := heap()
	for i := range n {
		e := kernel.edge(i)
		event := &bpf.Event{Kind: bpf.EventEdge, Key: e.Key, Owner: e.Whose(),
			Image: bpf.Image{Exe: "/usr/bin/some-program", Cwd: "/var/lib/some", Cmdline: []string{"some-program", "--with", "arguments"}}}
		if err := c.edgeStarted(event, clock()); err != nil {
			tb.Fatal(err)
		}
	}
	if err := c.readAll(tb.Context(), clock()); err != nil {
		tb.Fatal(err)
	}
	held := float64(heap()-before) / n
	runtime.KeepAlive(c)
	return held
}

// What an edge takes decides what a busy server's agent takes.
func TestMemoryOfAnEdge(t *testing.T) {
	if held := heldByEdge(t); held > 400 {
		t.Errorf("an edge takes %.0f bytes of heap, more than 400", held)
	} else {
		t.Logf("an edge takes %.0f bytes of heap", held)
	}
}
