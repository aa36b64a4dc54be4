package translate

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"cassini/agent/netns"
	"cassini/agent/translate/conntrack"
)

// BenchmarkSubscription makes connections over loopback where connection tracking is in use
// and nothing is translated, and where all of them are, by turns with a subscription and
// without one. It reports the median ratios, and what a connection costs more.
func BenchmarkSubscription(b *testing.B) {
	for _, c := range []struct{ name, rules, address string }{
		{"tracked", "table ip t {\nchain i {\ntype filter hook input priority 0\nct state new accept\n}\n}", "127.0.0.1:8080"},
		{"translated", "table ip t {\nchain o {\ntype nat hook output priority -100\ntcp dport 80 redirect to :8080\n}\n}", "127.0.0.1:80"},
	} {
		b.Run(c.name, func(b *testing.B) {
			ns := space(b, "bench")
			run(b, c.rules, inside(ns, "nft", "-f", "-")...)
			server(b, ns, "127.0.0.1:8080")
			const round = 1000
			dial := func() time.Duration {
				began := time.Now()
				run(b, "", inside(ns, os.Args[0], "child", "dial", c.address, strconv.Itoa(round))...)
				return time.Since(began)
			}
			dial()
			var ratios, more []float64
			for b.Loop() {
				without := dial()
				stop := subscribe(b, ns)
				with := dial()
				stop()
				ratios = append(ratios, with.Seconds()/without.Seconds())
				more = append(more, float64((with-without).Nanoseconds())/round)
			}
			slices.Sort(ratios)
			slices.Sort(more)
			b.ReportMetric(ratios[len(ratios)/2], "with/without")
			b.ReportMetric(more[len(more)/2], "ns-more/connection")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// subscribe reads what is told in a namespace, until it is stopped.
func subscribe(b *testing.B, name string) (stop func()) {
	b.Helper()
	spaces, err := netns.List()
	if err != nil {
		b.Fatal(err)
	}
	at := slices.IndexFunc(spaces, func(ns netns.Namespace) bool { return ns.Name == name })
	if at < 0 {
		b.Fatalf("no namespace %s", name)
	}
	socket, err := conntrack.Open(spaces[at].Do)
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if _, _, err := socket.Read(); errors.Is(err, os.ErrClosed) {
				return
			}
		}
	}()
	return func() {
		_ = socket.Close()
		<-ended
	}
}
