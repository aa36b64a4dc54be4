package capture

import (
	"fmt"
	"net"
	"sort"
	"testing"
	"time"

	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// BenchmarkOpenTraffic reads what open connections have moved: how long that takes with
// none, 1,000 and 9,500 of them open over loopback, both ends of which are read: 2,000
// and 19,000 sockets. All are measured by turns in one run.
func BenchmarkOpenTraffic(b *testing.B) {
	const few, many = 1000, 9500 // a process may have 20,000 files in some sandboxes
	// More than the usual soft limit, no more than what this process may have.
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 20000, Max: 20000}); err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	kernel := attach(b)
	defer kernel.Close()
	took := map[int][]time.Duration{}
	var ends []net.Conn
	defer func() { letGo(ends) }()
	measure := func(connections int) {
		for len(ends) < 2*connections {
			client, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			server, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			ends = append(ends, client, server)
		}
		letGo(ends[2*connections:])
		ends = ends[:2*connections]
		for range 20 {
			told, start := 0, time.Now()
			if err := kernel.OpenTraffic(b.Context(), func(*bpf.Traffic) { told++ }); err != nil {
				b.Fatal(err)
			}
			took[connections] = append(took[connections], time.Since(start))
			if told < 2*connections {
				b.Fatalf("%d sockets told, want %d", told, 2*connections)
			}
		}
	}
	for b.Loop() {
		for _, connections := range []int{0, few, many, few, 0} {
			measure(connections)
		}
	}
	median := func(connections int) float64 {
		all := took[connections]
		sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
		return float64(all[len(all)/2].Microseconds())
	}
	for _, connections := range []int{0, few, many} {
		b.ReportMetric(median(connections), fmt.Sprintf("us/%d-connections", connections))
	}
	b.ReportMetric((median(many)-median(0))*1000/(2*many), "ns/socket")
	b.ReportMetric(median(many)/median(few), "many/few")
	b.ReportMetric(0, "ns/op")
}
