package capture

import (
	"io"
	"net"
	"net/netip"
	"sort"
	"testing"
	"time"

	"cassini/bpf"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BenchmarkDatagram sends datagrams over loopback to a known peer, with and without
// the agent by turns, and reports the median ratio of the two, and the time spent in
// eBPF for one, as the kernel counts it: sent, and received with the sender's address.
func BenchmarkDatagram(b *testing.B) {
	benchmarkDatagram(b, bpf.Limits{}, "udp_sendmsg4", "udp_recvmsg4")
}

// BenchmarkDatagramBytes is the same where bytes are counted too.
func BenchmarkDatagramBytes(b *testing.B) {
	benchmarkDatagram(b, bpf.Limits{UDPBytes: true}, "udp_sendmsg4", "udp_recvmsg4", "udp_bytes_sent", "udp_bytes_received")
}

// BenchmarkBytesOfOthers is what counting bytes of UDP costs an exchange over TCP.
func BenchmarkBytesOfOthers(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	talk := func(n int) time.Duration {
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
	benchmarkAttached(b, bpf.Limits{UDPBytes: true}, talk, "udp_bytes_sent", "udp_bytes_received")
}

func benchmarkDatagram(b *testing.B, limits bpf.Limits, programs ...string) {
	b.Helper()
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	client, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	benchmarkAttached(b, limits, func(n int) time.Duration { return exchange(b, client, server, n) }, programs...)
}

// benchmarkAttached runs rounds of something with and without the programs by turns, and
// tells the median ratio of their times, and what some programs took of one.
func benchmarkAttached(b *testing.B, limits bpf.Limits, run func(n int) time.Duration, programs ...string) {
	b.Helper()
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 20000
	kernel := attachWith(b, limits)
	if err := kernel.UDP(); err != nil {
		b.Fatal(err)
	}
	if err := kernel.UDPBytes(); err != nil && limits.UDPBytes {
		b.Fatal(err)
	}
	run(10)
	before := kernel.RunTimes()
	run(round)
	after := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	var ratios []float64
	for b.Loop() {
		without := run(round)
		kernel := attachWith(b, limits)
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

// BenchmarkFlow is the same for a new flow each time: a question to a server of names
// from a socket of its own.
func BenchmarkFlow(b *testing.B) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	defer stats.Close()
	kernel, err := bpf.OpenTCP(bpf.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	defer kernel.Close()
	flow := func() {
		client, err := net.ListenUDP("udp4", &net.UDPAddr{})
		if err != nil {
			b.Fatal(err)
		}
		exchange(b, client, server, 1)
		_ = client.Close()
	}
	flow()
	before := kernel.RunTimes()
	const round = 4000
	for range round {
		flow()
	}
	var total time.Duration
	for name, now := range kernel.RunTimes() {
		total += now.Took - before[name].Took
	}
	for b.Loop() {
		flow()
	}
	b.ReportMetric(float64(total.Nanoseconds())/round, "ebpf-ns/flow")
}

func exchange(b *testing.B, client, server *net.UDPConn, n int) time.Duration {
	b.Helper()
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server))
	payload, buf := []byte("hello"), make([]byte, 16)
	start := time.Now()
	for range n {
		if _, err := client.WriteToUDPAddrPort(payload, to); err != nil {
			b.Fatal(err)
		}
		if _, _, err := server.ReadFromUDPAddrPort(buf); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
