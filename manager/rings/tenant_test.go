package rings

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// shared are hosts of three tenants (h0, h3, ... of none) in the same two zones.
func shared(t *testing.T) *bench {
	b := newBench(t, 1)
	for n := range 24 {
		b.tenants[fmt.Sprintf("h%d", n)] = []string{"", "red", "blue"}[n%3]
		b.join(b.host(n, n/3%2))
	}
	b.run(time.Minute)
	return b
}

// TestTenantsShareNoRing looks at all that a host of a tenant is told: nobody else's is in it.
func TestTenantsShareNoRing(t *testing.T) {
	b := shared(t)
	b.check()
	if n := len(b.r.rings); n != 9 { // two zones and a ring above, for each
		t.Errorf("%d rings", n)
	}
	for at, a := range b.places {
		heard := append(slices.Clone(a.Successors), a.Next.RingMember, a.Next.Beyond, a.Previous.RingMember, a.Previous.Beyond)
		for _, m := range append(heard, a.Relays...) {
			if m.Host != "" && m.Host != model.ManagerHost && b.tenants[m.Host] != b.tenants[at.host] {
				t.Errorf("%s of %q hears of %s of %q in %s", at.host, b.tenants[at.host], m.Host, b.tenants[m.Host], at.ring)
			}
		}
	}
}

// TestMovedToATenant takes hosts to other tenants: as their agents join anew, as the manager
// starts, and as keys are rotated. Nobody keeps a key of rings that it has left.
func TestMovedToATenant(t *testing.T) {
	for name, tell := range map[string]func(b *bench, j model.Join){
		"it joins": func(b *bench, j model.Join) { b.join(j) },
		"start":    func(b *bench, _ model.Join) { b.restart() },
		"rotation": func(b *bench, _ model.Join) { b.r.Rotate(b.now) },
	} {
		t.Run(name, func(t *testing.T) {
			b := shared(t)
			old := b.places[place{b.r.hosts["h1"].Rings[0], "h1"}]
			stay := b.r.rings[old.Ring]
			b.tenants["h1"] = "blue"
			tell(b, b.host(1, 0))
			b.run(time.Minute)
			b.check()
			if h := b.r.hosts["h1"]; h.Tenant != "blue" || len(h.Rings) == 0 {
				t.Errorf("%s of %q is on %v", h.Host, h.Tenant, h.Rings)
			}
			if stay = b.r.rings[stay.ID]; stay.Tenant != "red" {
				t.Fatalf("%s is of %q", stay.ID, stay.Tenant)
			}
			for _, key := range stay.keys().Keys {
				if slices.ContainsFunc(old.Keys.Keys, func(k model.RingKey) bool { return k.Secret == key.Secret }) {
					t.Error("who left knows a key of its former ring")
				}
			}
		})
	}
}

// TestTenantsGone moves all hosts of a tenant, in all orders: no ring of its stays behind.
func TestTenantsGone(t *testing.T) {
	for seed := range uint64(20) {
		b := shared(t)
		random := rand.New(rand.NewPCG(seed, 3))
		for _, n := range random.Perm(24) {
			name := fmt.Sprintf("h%d", n)
			b.tenants[name] = []string{"", "blue"}[random.IntN(2)]
			if random.IntN(2) == 0 {
				b.join(b.host(n, n/3%2))
			}
		}
		b.r.Rotate(b.now)
		b.run(time.Minute)
		b.check()
		for _, ring := range b.r.Rings() {
			if ring.Tenant == "red" {
				t.Fatalf("seed %d: %s is there yet, with %v", seed, ring.ID, ring.Members)
			}
		}
	}
}
