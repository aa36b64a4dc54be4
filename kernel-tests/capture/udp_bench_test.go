package capture

import (
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
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 20000
	kernel := attach(b)
	if err := kernel.UDP(); err != nil {
		b.Fatal(err)
	}
	exchange(b, client, server, 10)
	before := kernel.RunTimes()
	exchange(b, client, server, round)
	after := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	var ratios []float64
	for b.Loop() {
		without := exchange(b, client, server, round)
		kernel := attach(b)
		exchange(b, client, server, round/10) // the peer is known
		with := exchange(b, client, server, round)
		_ = kernel.Close()
		ratios = append(ratios, with.Seconds()/without.Seconds())
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	for _, name := range []string{"udp_sendmsg4", "udp_recvmsg4"} {
		runs, took := after[name].Runs-before[name].Runs, after[name].Took-before[name].Took
		b.ReportMetric(float64(took.Nanoseconds())/float64(max(runs, 1)), name+"-ns/event")
		b.ReportMetric(float64(runs)/round, name+"-events/datagram")
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
