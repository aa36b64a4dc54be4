package capture

import (
	"log/slog"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// BenchmarkKnownEdges reads the counters of edges that are known, none of which moved.
func BenchmarkKnownEdges(b *testing.B) {
	const n = 20_000
	kernel := &many{n: n}
	c := New(Config{Host: "web-17", Kernel: kernel, Logger: slog.New(slog.DiscardHandler), Emit: func(...model.Document) {}})
	c.published = true
	c.gone = func(uint64) bool { return false }
	read := func() {
		if err := c.readCounters(0, clock(), func([]*edge) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	for i := range n {
		e := kernel.edge(i)
		event := &bpf.Event{Kind: bpf.EventEdge, Key: e.Key, Owner: e.Whose(), Image: bpf.Image{Exe: "/usr/bin/some-program", Cwd: "/"}}
		if err := c.edgeStarted(event, clock()); err != nil {
			b.Fatal(err)
		}
	}
	read()
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/edge")
}
