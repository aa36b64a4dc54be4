package capture

import (
	"net"
	"path/filepath"
	"sort"
	"sync"
	"testing"
	"time"

	"cassini/bpf"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// BenchmarkUnixConnection connects to a Unix-domain socket that is known, is accepted and
// closed, with and without the agent by turns, and reports the median ratio of the two, and
// the time spent in eBPF for one, as the kernel counts it.
func BenchmarkUnixConnection(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 5000
	kernel := attachUnix(b, l)
	connectUnix(b, l, 10)
	before := kernel.RunTimes()
	connectUnix(b, l, round)
	after := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	var ratios []float64
	for b.Loop() {
		without := connectUnix(b, l, round)
		kernel := attachUnix(b, l)
		connectUnix(b, l, 10)
		with := connectUnix(b, l, round)
		_ = kernel.Close()
		ratios = append(ratios, with.Seconds()/without.Seconds())
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	reportRuns(b, "unix_connect", before, after, round)
	b.ReportMetric(0, "ns/op")
}

// BenchmarkUnixDatagram sends datagrams by address to a socket that is known.
func BenchmarkUnixDatagram(b *testing.B) {
	path := filepath.Join(b.TempDir(), "d")
	server, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		b.Fatal(err)
	}
	const round = 20000
	kernel := attachUnix(b, nil)
	sendUnix(b, fd, server, path, 10)
	before := kernel.RunTimes()
	sendUnix(b, fd, server, path, round)
	after := kernel.RunTimes()
	_ = kernel.Close()
	_ = stats.Close()
	var ratios []float64
	for b.Loop() {
		without := sendUnix(b, fd, server, path, round)
		kernel := attachUnix(b, nil)
		sendUnix(b, fd, server, path, 10)
		with := sendUnix(b, fd, server, path, round)
		_ = kernel.Close()
		ratios = append(ratios, with.Seconds()/without.Seconds())
	}
	sort.Float64s(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "with/without")
	reportRuns(b, "unix_sendmsg", before, after, round)
	b.ReportMetric(0, "ns/op")
}

func reportRuns(b *testing.B, name string, before, after map[string]bpf.RunTime, events int) {
	runs, took := after[name].Runs-before[name].Runs, after[name].Took-before[name].Took
	b.ReportMetric(float64(took.Nanoseconds())/float64(max(runs, 1)), name+"-ns/event")
	b.ReportMetric(float64(runs)/float64(events), name+"-events/each")
}

// attachUnix attaches, and tells the kernel side who serves what was dialled.
func attachUnix(b *testing.B, l net.Listener) *bpf.Unix {
	b.Helper()
	kernel, err := bpf.OpenUnix(bpf.UnixLimits{})
	if err != nil {
		b.Fatal(err)
	}
	if l == nil {
		return kernel
	}
	connectUnix(b, l, 1)
	err = kernel.Edges(func(key *bpf.UnixKey, edge *bpf.UnixEdge) {
		if bpf.Dialled(edge) != l.Addr().String() {
			return
		}
		err := kernel.Sockets(b.Context(), func(s *bpf.UnixSocket) {
			if bpf.Bound(s) != l.Addr().String() {
				return
			}
			if err := kernel.Serve(key.Name, s); err != nil {
				b.Fatal(err)
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	return kernel
}

func connectUnix(b *testing.B, l net.Listener, n int) time.Duration {
	b.Helper()
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for range n {
			conn, err := l.Accept()
			if err != nil {
				b.Error(err)
				return
			}
			_ = conn.Close()
		}
	})
	begin := time.Now()
	address := &unix.SockaddrUnix{Name: l.Addr().String()}
	for range n {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, address)
		}
		if err != nil {
			b.Fatal(err)
		}
		_ = unix.Close(fd)
	}
	accepting.Wait()
	return time.Since(begin)
}

func sendUnix(b *testing.B, fd int, server *net.UnixConn, path string, n int) time.Duration {
	b.Helper()
	buf := make([]byte, 16)
	address := &unix.SockaddrUnix{Name: path}
	begin := time.Now()
	for range n {
		if err := unix.Sendto(fd, buf, 0, address); err != nil {
			b.Fatal(err)
		}
		if _, err := server.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begin)
}
