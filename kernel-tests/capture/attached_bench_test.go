package capture

import (
	"io"
	"net"
	"sort"
	"testing"
	"time"

	"cassini/bpf"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// attached are programs at work.
type attached interface {
	RunTimes() map[string]bpf.RunTime
	Close() error
}

// benchmarkAttached runs rounds of something with and without the programs by turns, and
// tells the median ratio of their times, and what some programs took of one.
func benchmarkAttached(b *testing.B, attach func() attached, run func(n int) time.Duration, programs ...string) {
	b.Helper()
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 20000
	kernel := attach()
	run(10)
	before := kernel.RunTimes()
	run(round)
	after := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	var ratios []float64
	for b.Loop() {
		without := run(round)
		kernel := attach()
		run(round / 10) // the peer is known
		with := run(round)
		_ = kernel.Close()
		ratios = append(ratios, with.Seconds()/without.Seconds())
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	for _, name := range programs {
		runs, took := after[name].Runs-before[name].Runs, after[name].Took-before[name].Took
		b.ReportMetric(float64(took.Nanoseconds())/float64(max(runs, 1)), name+"-ns/event")
		b.ReportMetric(float64(runs)/round, name+"-events/op")
	}
	b.ReportMetric(0, "ns/op")
}

func listenOn(b *testing.B, network, address string) net.Listener {
	b.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

// talkOver talks over a new connection.
func talkOver(b *testing.B, l net.Listener, n int) time.Duration {
	b.Helper()
	client, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	return toAndFro(b, client, server, n)
}

// toAndFro sends messages to and fro.
func toAndFro(b *testing.B, client, server net.Conn, n int) time.Duration {
	b.Helper()
	buf := make([]byte, 64)
	start := time.Now()
	for range n {
		for _, turn := range [][2]net.Conn{{client, server}, {server, client}} {
			if _, err := turn[0].Write(buf); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(turn[1], buf); err != nil {
				b.Fatal(err)
			}
		}
	}
	return time.Since(start)
}
