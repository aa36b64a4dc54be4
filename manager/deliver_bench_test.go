package manager

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

// BenchmarkDeliver is a batch of twenty ends of dependencies of one host, until it is durable and
// in the graph; four bring such at a time. What counts is what a document takes of CPU and memory:
// the disk's part differs from machine to machine.
func BenchmarkDeliver(b *testing.B) {
	const together, batch = 4, 20
	m := start(b, b.TempDir())
	work := make(chan int)
	done := make(chan error, together)
	for range together {
		go func() {
			for n := range work {
				if _, err := m.Deliver(b.Context(), model.Batch{Documents: dialled(b, n, batch)}); err != nil {
					b.Error(err)
				}
			}
			done <- nil
		}()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		work <- n
	}
	close(work)
	for range together {
		<-done
	}
	b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "documents/s")
}

// dialled are dependencies of one host.
func dialled(t testing.TB, host, count int) (docs []model.Document) {
	now := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	for i := range count {
		d := model.Dependency{
			Direction: model.Out, Proto: "tcp", Port: 443,
			Client: netip.AddrFrom4([4]byte{10, byte(host >> 16), byte(host >> 8), byte(host)}), Server: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}),
			Process:  model.Process{PID: 7, Exe: "/usr/bin/curl", Cmdline: []string{"/usr/bin/curl", "--config", "/etc/curl.conf"}, UID: "root", GID: "root", Cwd: "/"},
			Counters: model.Counters{Connections: 1, Attempts: 1}, FirstSeen: now, LastSeen: now, CountingSince: now,
		}
		doc, err := model.NewDocument(model.Name{Host: fmt.Sprintf("web-%d", host), Package: model.PackageDependencies, Key: d.Key()}, now, d)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return docs
}
