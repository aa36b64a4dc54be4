package programs

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
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
	ticks, start, n := cpuTicks(b, c), time.Now(), 0
	for b.Loop() {
		connect(b, l)
		n++
	}
	took := time.Since(start).Seconds()
	const ticksPerSecond = 100 // USER_HZ
	b.ReportMetric(float64(cpuTicks(b, c)-ticks)/ticksPerSecond/took*100, "agent-cpu-%")
	b.ReportMetric(float64(n)/took, "connections/s")
	b.ReportMetric(float64(statusKiB(b, c, "VmRSS"))/1024, "resident-MiB")
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

// cpuTicks is the time that the process has used, in clock ticks (proc(5), stat).
func cpuTicks(b *testing.B, c *cassini) (ticks int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(rest)[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return ticks
}

// statusKiB is a size from the process's status file.
func statusKiB(b *testing.B, c *cassini, name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kib int
		if _, err := fmt.Sscanf(line, name+": %d kB", &kib); err == nil {
			return kib
		}
	}
	b.Fatalf("no %s in the process's status", name)
	return 0
}
