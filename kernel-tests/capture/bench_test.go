package capture

import (
	"net"
	"runtime"
	"sort"
	"testing"
	"time"

	"cassini/bpf"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BenchmarkConnection makes connections over loopback, in rounds with and without
// the agent by turns, and reports the median ratio of the two, and the time
// spent in eBPF for one connection (both ends), as the kernel counts it.
func BenchmarkConnection(b *testing.B) {
	server := accepting(b).String()
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 4000
	var ratios []float64
	// First the cost inside the programs, counted; the counting itself costs.
	kernel := attach(b)
	connect(b, server, round)
	before := kernel.RunTimes()
	connect(b, server, round)
	inKernel := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	for b.Loop() {
		without := connect(b, server, round)
		kernel := attach(b)
		connect(b, server, round/10) // the edge is known
		with := connect(b, server, round)
		_ = kernel.Close()
		ratios = append(ratios, with.Seconds()/without.Seconds())
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	var total time.Duration
	for name, now := range inKernel {
		runs, took := now.Runs-before[name].Runs, now.Took-before[name].Took
		if runs == 0 {
			continue // the third copy, on this kernel
		}
		total += took
		b.ReportMetric(float64(took.Nanoseconds())/float64(runs), name+"-ns/event")
		b.ReportMetric(float64(runs)/round, name+"-events/connection")
	}
	b.ReportMetric(float64(total.Nanoseconds())/round, "ebpf-ns/connection")
	b.ReportMetric(0, "ns/op")
}

func attach(b *testing.B) *bpf.TCP {
	b.Helper()
	return attachWith(b, bpf.Limits{})
}

func attachWith(b *testing.B, limits bpf.Limits) *bpf.TCP {
	b.Helper()
	kernel, err := bpf.OpenTCP(limits)
	if err != nil {
		b.Fatal(err)
	}
	// The listener is older than the programs.
	if err := kernel.Bootstrap(b.Context(), func(scan func() error) error { return scan() }); err != nil {
		b.Fatal(err)
	}
	return kernel
}

func connect(b *testing.B, address string, n int) time.Duration {
	b.Helper()
	runtime.GC()
	start := time.Now()
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	return time.Since(start)
}
