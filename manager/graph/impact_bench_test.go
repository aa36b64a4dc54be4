package graph

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"cassini/model"
)

// bigWorld is an estate of hosts on switches of 48 ports, in three tiers: each web host
// is a client of three of its tier's applications, each of those of two databases,
// which are few and popular.
func bigWorld(b *testing.B, hosts int) *world {
	w := newWorld(b)
	w.now = t0
	r := rand.New(rand.NewPCG(1, 2))
	tiers := []struct {
		exe  string
		port uint16
		from int // the first host of the tier
	}{{"/usr/sbin/nginx", 443, 0}, {"/usr/bin/app", 8080, hosts * 6 / 10}, {"/usr/bin/postgres", 5432, hosts * 19 / 20}}
	addr := func(h int) string { return netip.AddrFrom4([4]byte{10, byte(h >> 16), byte(h >> 8), byte(h)}).String() }
	tier := func(h int) int {
		switch {
		case h >= tiers[2].from:
			return 2
		case h >= tiers[1].from:
			return 1
		}
		return 0
	}
	for h := range hosts {
		host := fmt.Sprint("h", h)
		w.link(host, "eth0", fmt.Sprintf("02:00:%02x:%02x:%02x:00", byte(h>>16), byte(h>>8), byte(h)), addresses(addr(h)+"/8"))
		w.wired(host, "eth0", fmt.Sprintf("00:1b:fc:00:%02x:%02x", h/48>>8, h/48&255), fmt.Sprint("p", h%48))
		w.listen(host, tiers[tier(h)].exe, addr(h), tiers[tier(h)].port)
	}
	for h := range hosts {
		t := tier(h)
		if t == 2 {
			continue
		}
		next, end := tiers[t+1].from, hosts
		if t == 0 {
			end = tiers[2].from
		}
		for range 3 - t {
			to := next + int(float64(end-next)*r.Float64()*r.Float64()) // the first are the popular ones
			w.out(fmt.Sprint("h", h), tiers[t].exe, addr(h), addr(to), tiers[t+1].port, model.Counters{Connections: 1})
		}
	}
	w.seen, w.docs = nil, nil
	return w
}

func BenchmarkImpact(b *testing.B) {
	for _, hosts := range []int{1000, 10_000} {
		w := bigWorld(b, hosts)
		w.Nodes(NodeFilter{Limit: 1}) // joins once
		for _, of := range []string{"host:h0", fmt.Sprint("host:h", hosts*19/20), "switch:00:1b:fc:00:00:00"} {
			b.Run(fmt.Sprintf("%d/%s", hosts, of), func(b *testing.B) {
				victims := 0
				for b.Loop() {
					impact, ok := w.Impact(of)
					if victims = len(impact.Victims); !ok {
						b.Fatal("no such node")
					}
				}
				b.ReportMetric(float64(victims), "victims")
			})
		}
		b.Run(fmt.Sprintf("%d/spof", hosts), func(b *testing.B) {
			for b.Loop() {
				w.SinglePoints("")
			}
		})
		b.Run(fmt.Sprintf("%d/spof-of", hosts), func(b *testing.B) {
			for b.Loop() {
				w.SinglePoints("service:h0/nginx:443")
			}
		})
	}
}
