package rings

import (
	"maps"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// TestManagerGoesBack begins from a backup: members have places of later plans, which they
// do not give up for earlier ones. They say so, and the plans leap over them.
func TestManagerGoesBack(t *testing.T) {
	b := newBench(t, 7)
	for n := range 8 {
		if _, err := b.r.Join(b.host(n, 1), b.now); err != nil {
			t.Fatal(err)
		}
	}
	b.run(time.Minute)
	hosts, rings := maps.Clone(b.hosts), maps.Clone(b.rings) // the backup
	for n := 8; n < 20; n++ {
		if _, err := b.r.Join(b.host(n, 1), b.now); err != nil {
			t.Fatal(err)
		}
		b.run(time.Second)
	}
	b.run(time.Minute)
	var lastHosts []*Host
	for _, h := range hosts {
		lastHosts = append(lastHosts, &h)
	}
	var lastRings []*Ring
	later := map[model.RingID]model.Epoch{}
	for id, g := range rings {
		g.Order = slices.Clone(g.Order)
		lastRings = append(lastRings, &g)
		later[id] = b.rings[id].Epoch
		if b.rings[id].Epoch <= g.Epoch {
			t.Fatalf("%s has not changed since the backup", id)
		}
	}
	b.r, b.backward = b.fresh(8), true
	b.r.Restore(lastHosts, lastRings, b.now)
	b.r.Remind(b.now)
	b.run(2 * time.Minute)
	if n := b.r.Pending(); n != 0 {
		t.Errorf("%d places are not acknowledged", n)
	}
	for _, g := range b.r.Rings() {
		if g.Epoch <= later[g.ID] {
			t.Errorf("%s has epoch %d, members know %d", g.ID, g.Epoch, later[g.ID])
		}
		for _, m := range g.Members {
			if a := b.places[place{g.ID, m.Host}]; a == nil || a.Epoch != g.Epoch {
				t.Errorf("%s has place %+v in %s of epoch %d", m.Host, a, g.ID, g.Epoch)
			}
		}
	}
	for n := 8; n < 20; n++ { // they joined after the backup, and ask again
		if _, err := b.r.Join(b.host(n, 1), b.now); err != nil {
			t.Fatal(err)
		}
	}
	b.run(2 * time.Minute)
	if n := b.r.Pending(); n != 0 || len(b.r.Hosts()) != 20 {
		t.Errorf("%d hosts, %d places are not acknowledged", len(b.r.Hosts()), n)
	}
}

// TestLeapsAreBounded keeps one member from using up the numbers.
func TestLeapsAreBounded(t *testing.T) {
	b := newBench(t, 9)
	b.deaf["h0"] = true
	for n := range 3 {
		if _, err := b.r.Join(b.host(n, 1), b.now); err != nil {
			t.Fatal(err)
		}
	}
	b.run(time.Second)
	id := b.r.hosts["h0"].Rings[0]
	before := b.r.rings[id].Epoch
	b.r.acknowledged(id, "h0", before+maxLeap+1, b.now)
	if got := b.r.rings[id].Epoch; got != before {
		t.Errorf("epoch %d became %d", before, got)
	}
	b.r.instruct(b.r.rings[id], "h0", b.now)
	b.r.acknowledged(id, "h0", before+maxLeap, b.now)
	if got := b.r.rings[id].Epoch; got <= before+maxLeap || b.r.pending[place{id, "h0"}] == nil {
		t.Errorf("epoch %d became %d", before, got)
	}
}
