package programs

import (
	"net"
	"testing"
	"time"

	"cassini/tools/bench"
)

// BenchmarkRun reports what `cassini run` costs beside a client and a server that
// make connections on one known edge as fast as they can: its CPU time in percent
// of one core and its resident memory.
func BenchmarkRun(b *testing.B) {
	c := startCassini(b, b.TempDir())
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	connect(b, l)
	time.Sleep(time.Second) // what a new edge brings with it is done
	spent, start, n := cpu(b, c), time.Now(), 0
	for b.Loop() {
		connect(b, l)
		n++
	}
	took := time.Since(start).Seconds()
	b.ReportMetric((cpu(b, c)-spent).Seconds()/took*100, "agent-cpu-%")
	b.ReportMetric(float64(n)/took, "connections/s")
	use, err := bench.Memory(c.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(use.Resident)/(1<<20), "resident-MiB")
	b.ReportMetric(0, "ns/op")
}

func connect(b *testing.B, l net.Listener) {
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func cpu(b *testing.B, c *cassini) time.Duration {
	spent, err := bench.CPU(c.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	return spent
}
