package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkCause asks what explains that up to ten clients of a service are ill, one random
// service after the other: of a graph that stays as it is, and of one in which something has
// changed since each question.
func BenchmarkCause(b *testing.B) {
	for _, hosts := range []int{1000, 10_000} {
		w := bigWorld(b, hosts)
		w.Nodes(NodeFilter{Limit: 1}) // joins once
		for _, changes := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/changes=%v", hosts, changes), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 3))
				for b.Loop() {
					if changes {
						w.topology++
					}
					Diagnose(w.Graph, w.Graph, t0, w.someClients(r, hosts), 5)
				}
			})
		}
	}
}

// someClients are up to ten of one service.
func (w *world) someClients(r *rand.Rand, hosts int) (clients []string) {
	for len(clients) == 0 {
		service := fmt.Sprintf("service:h%d/postgres:5432", hosts*19/20+r.IntN(hosts/20))
		w.read(func(v *view) {
			n := v.named(service)
			if n == nil {
				return
			}
			for _, e := range n.inOf(nodeProcess)[:min(10, len(n.inOf(nodeProcess)))] {
				clients = append(clients, e.from.id)
			}
		})
	}
	return clients
}
