package capture

import (
	"net"
	"net/netip"
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
	l := listenOn(b, "tcp4", "127.0.0.1:0")
	benchmarkAttached(b, attachUDP(b, bpf.Limits{UDPBytes: true}), func(n int) time.Duration { return talkOver(b, l, n) },
		"udp_bytes_sent", "udp_bytes_received")
}

// attachUDP attaches all of what limits ask for.
func attachUDP(b *testing.B, limits bpf.Limits) func() attached {
	return func() attached {
		b.Helper()
		kernel := attachWith(b, limits)
		if err := kernel.UDP(); err != nil {
			b.Fatal(err)
		}
		if err := kernel.UDPBytes(); err != nil && limits.UDPBytes {
			b.Fatal(err)
		}
		return kernel
	}
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
	benchmarkAttached(b, attachUDP(b, limits), func(n int) time.Duration { return exchange(b, client, server, n) }, programs...)
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
