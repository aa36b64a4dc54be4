package rings

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
)

const day = 24 * time.Hour

// rotating is a bench of rings whose keys change each day: one of five hosts in each zone.
func rotating(t *testing.T, zones int) *bench {
	b := newBench(t, 1)
	b.r.cfg.Rotation = day
	for zone := range zones {
		for n := range 5 {
			b.join(b.host(5*zone+n, zone))
		}
	}
	b.run(time.Minute)
	return b
}

// Each ring rotates about once a day, at times of its own.
func TestRotatesByTime(t *testing.T) {
	b := rotating(t, 4)
	b.run(day * 3 / 4)
	if n := b.r.Stats().Rotations; n != 0 {
		t.Fatalf("%d rotations on the first morning", n)
	}
	begin, together, last := b.now, 0, uint64(0)
	for b.now.Before(begin.Add(100 * day)) {
		b.run(time.Minute)
		n := b.r.Stats().Rotations
		if n > last+1 {
			together++
		}
		last = n
	}
	if rings := uint64(len(b.r.rings)); last < 90*rings || last > 110*rings {
		t.Errorf("%d rotations of %d rings in 100 days", last, rings)
	}
	if together > 10 {
		t.Errorf("rings rotated together %d times", together)
	}
	for id, ring := range b.r.rings {
		if b.rings[id].Generation != ring.Generation || !b.rings[id].Rotation.Equal(ring.Rotation) {
			t.Errorf("%s: on disk is generation %d, want %d", id, b.rings[id].Generation, ring.Generation)
		}
	}
	b.check()
}

// A ring waits for a member that does not acknowledge, and goes on when it does.
func TestRotationWaits(t *testing.T) {
	b := rotating(t, 1)
	b.deaf["h1"] = true
	b.run(4 * day)
	if got := b.r.rings["z0"].Generation; got != 2 { // h1 had the keys of generation 1, which are good for this one too
		t.Errorf("generation %d, although h1 did not acknowledge the second", got)
	}
	delete(b.deaf, "h1")
	b.run(day / 8)
	if got := b.r.rings["z0"].Generation; got != 3 {
		t.Errorf("generation %d after h1 came back", got)
	}
	b.check()
}

// What was planned survives a restart; what came due meanwhile is not done at once.
func TestRotationIsRestored(t *testing.T) {
	b := rotating(t, 1)
	planned := b.rings["z0"].Rotation
	for name, test := range map[string]struct {
		now        time.Time
		after, end time.Time
	}{
		"soon":      {b.now.Add(time.Hour), planned, planned},
		"overdue":   {b.now.Add(10 * day), b.now.Add(10 * day), b.now.Add(10*day + day/16)},
		"clock set": {b.now.Add(-10 * day), b.now.Add(-10*day + day*3/4), b.now.Add(-10*day + day*5/4)},
	} {
		t.Run(name, func(t *testing.T) {
			again := newBench(t, 2)
			again.r.cfg.Rotation = day
			ring := b.rings["z0"]
			var hosts []*Host
			for _, name := range ring.Order {
				h := b.hosts[name]
				hosts = append(hosts, &h)
			}
			again.r.Restore(hosts, []*Ring{&ring}, test.now)
			again.r.Remind(test.now)
			if at := again.r.rings["z0"].Rotation; at.Before(test.after) || at.After(test.end) {
				t.Errorf("at %v it is planned for %v, want %v to %v", test.now, at, test.after, test.end)
			}
			if next := again.r.rotation; !next.Equal(again.r.rings["z0"].Rotation) {
				t.Errorf("looks at %v", next)
			}
		})
	}
}

// No key comes again when its number, a byte in datagrams, does.
func TestKeysDoNotComeAgain(t *testing.T) {
	ring := Ring{Master: model.Secret{1}}
	seen := make(map[model.Secret]uint64)
	for ring.Generation = 1; ring.Generation < 600; ring.Generation += 3 {
		for _, k := range ring.keys().Keys {
			if first, ok := seen[k.Secret]; ok {
				t.Fatalf("the key of generation %d is again that of %d", ring.Generation, first)
			}
			seen[k.Secret] = ring.Generation
		}
	}
	ring.Generation = 256
	if s := ring.keys(); s.Current != 0 || s.Keys[0].ID != 255 || s.Keys[2].ID != 1 {
		t.Error(fmt.Sprint(s.Current, s.Keys[0].ID, s.Keys[2].ID))
	}
}

func TestRotate(t *testing.T) {
	b := newBench(t, 1)
	for n := range 5 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	before := b.places[place{"z0", "h1"}].Keys
	b.r.Rotate(b.now)
	b.run(time.Minute)
	after := b.places[place{"z0", "h1"}].Keys
	if next, _ := before.Find(after.Current); after.Current != before.Current+1 || next.Secret != after.Keys[1].Secret {
		t.Errorf("current key %d after %d", after.Current, before.Current)
	}
	if previous, ok := after.Find(before.Current); !ok || previous.Secret != before.Keys[1].Secret {
		t.Error("the previous key is not accepted any more")
	}
	b.check()
}
