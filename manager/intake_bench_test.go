package manager

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"cassini/manager/api"
	"cassini/model"
	"cassini/model/delivery"
	synthetic "cassini/tools/graphbench/estate"
)

// BenchmarkIntake is a delivery of all that one host knows, as it comes out of HTTP and
// compressed, until it is durable and in the graph; sixteen come at a time. What counts is what a
// document takes of memory and CPU: the disk's part differs from machine to machine.
func BenchmarkIntake(b *testing.B) {
	const together = 16
	m := start(b, b.TempDir())
	h := api.New(m.api())
	bodies, documents := deliveries(b, b.N)
	work := make(chan []byte)
	var senders sync.WaitGroup
	before := spent()
	b.ReportAllocs()
	b.ResetTimer()
	for range together {
		senders.Go(func() {
			for body := range work {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://127.0.0.1/api/v1/deliveries", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Content-Encoding", delivery.Encoding)
				r.Header.Set(delivery.Header, "2")
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Errorf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	for _, body := range bodies {
		work <- body
	}
	close(work)
	senders.Wait()
	b.StopTimer()
	after := spent()
	n := float64(documents)
	b.ReportMetric(float64(after.bytes-before.bytes)/n, "B/document")
	b.ReportMetric(float64(after.objects-before.objects)/n, "allocs/document")
	b.ReportMetric(float64((after.cpu-before.cpu).Microseconds())/n, "cpu-us/document")
}

// deliveries are the first ones of so many hosts.
func deliveries(b *testing.B, hosts int) (bodies [][]byte, documents int) {
	codec, err := delivery.NewCodec(1 << 20)
	if err != nil {
		b.Fatal(err)
	}
	for a, err := range (synthetic.Estate{Hosts: max(hosts, 100), Seed: 1}).Arrivals() {
		if err != nil {
			b.Fatal(err)
		}
		if len(bodies) == hosts {
			break
		}
		raw, err := json.Marshal(delivery.Body{Host: a.Documents[0].Host, Position: model.Position{Incarnation: model.Incarnation(len(bodies) + 1), Sequence: 1}, Documents: a.Documents})
		if err != nil {
			b.Fatal(err)
		}
		small, ok := codec.Compress(raw)
		if !ok {
			b.Fatal(fmt.Errorf("%d bytes become no smaller", len(raw)))
		}
		bodies, documents = append(bodies, small), documents+len(a.Documents)
	}
	return bodies, documents
}

type expense struct {
	bytes, objects uint64
	cpu            time.Duration
}

// spent is what the process has spent so far.
func spent() (e expense) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	e.bytes, e.objects = m.TotalAlloc, m.Mallocs
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		e.cpu = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return e
}
