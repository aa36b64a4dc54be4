package rings

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

func TestChanges(t *testing.T) {
	for seed := range uint64(20) {
		b := newBench(t, seed)
		random := rand.New(rand.NewPCG(seed, 2))
		lives := make(map[int]model.Incarnation)
		for step := range 150 {
			n := random.IntN(60)
			name := fmt.Sprintf("h%d", n)
			before := b.sent
			switch h := b.r.hosts[name]; {
			case h == nil, b.deaf[name]:
				if b.tenants[name] == "" && seed%2 == 1 {
					b.tenants[name] = []string{"", "red", "blue"}[random.IntN(3)]
				}
				lives[n]++
				j := b.host(n, random.IntN(4))
				j.Incarnation = lives[n]
				b.join(j)
			case random.IntN(6) == 0: // another cable
				j := b.host(n, random.IntN(4))
				j.Incarnation = lives[n]
				b.join(j)
			case h.alive():
				b.crash(name)
			}
			b.run(20 * time.Second)
			if sent := b.sent - before; sent > 120 {
				t.Fatalf("step %d cost %d datagrams", step, sent)
			}
			b.check()
		}
		if n := b.r.Pending(); n > len(b.deaf)*3 {
			t.Errorf("%d places are pending", n)
		}
	}
}

// TestCost: what one repair costs does not depend on how many hosts there are.
func TestCost(t *testing.T) {
	cost := func(zones, hosts int) int {
		b := newBench(t, 7)
		for z := range zones {
			for h := range hosts {
				b.join(b.host(z*hosts+h, z))
			}
		}
		b.run(time.Minute)
		b.check()
		before := b.sent
		b.crash("h30")
		b.run(time.Minute)
		return b.sent - before
	}
	small, large := cost(2, 40), cost(40, 48)
	if small < 5 || large > small+20 {
		t.Errorf("a repair costs %d datagrams among 80 hosts and %d among 1,920", small, large)
	}
}

func TestAloneIsWatchedByTheManager(t *testing.T) {
	b := newBench(t, 1)
	b.join(b.host(1, 0))
	if got := b.r.WatchedBy("h1"); !slices.Equal(got, []string{model.ManagerHost}) {
		t.Errorf("watched by %v", got)
	}
	b.run(time.Minute)
	b.deaf["h1"] = true
	b.run(15 * time.Second)
	if h := b.r.Host("h1"); h.State != Unobservable {
		t.Errorf("it is %s: one observer alone calls nobody dead", h.State)
	}
	clear(b.deaf)
	b.run(15 * time.Second)
	if h := b.r.Host("h1"); h.State != Up {
		t.Errorf("it is %s", h.State)
	}
	b.join(b.host(2, 1))
	for _, name := range []string{"h1", "h2"} {
		if got := b.r.WatchedBy(name); len(got) != 1 || got[0] == model.ManagerHost {
			t.Errorf("%s is watched by %v", name, got)
		}
	}
}

func TestRestore(t *testing.T) {
	b := newBench(t, 1)
	for n := range 30 {
		b.join(b.host(n, n/10))
	}
	b.run(time.Minute)
	b.crash("h3")
	b.run(time.Minute)
	want := b.r.Rings()
	b.restart()
	b.run(time.Minute)
	if got := b.r.Rings(); !reflect.DeepEqual(got, want) {
		t.Errorf("restored %+v, want %+v", got, want)
	}
	if b.r.Pending() != 0 {
		t.Errorf("%d places were not acknowledged", b.r.Pending())
	}
	b.check()
}

func TestJoinRefuses(t *testing.T) {
	b := newBench(t, 1)
	b.r.cfg.Limit = 1
	for what, change := range map[string]func(*model.Join){
		"no name": func(j *model.Join) { j.Host = "" }, "the manager's name": func(j *model.Join) { j.Host = model.ManagerHost },
		"no port": func(j *model.Join) { j.Addr = netip.AddrPortFrom(j.Addr.Addr(), 0) }, "no life": func(j *model.Join) { j.Incarnation = 0 },
		"any address": func(j *model.Join) { j.Addr = netip.MustParseAddrPort("0.0.0.0:1985") },
		"a long zone": func(j *model.Join) { j.Zone = fmt.Sprintf("%40d", 1) },
	} {
		j := b.host(1, 0)
		change(&j)
		if _, err := b.r.Join(j, b.now); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.join(b.host(1, 0))
	if _, err := b.r.Join(b.host(2, 0), b.now); !errors.Is(err, ErrFull) {
		t.Errorf("beyond the limit: %v", err)
	}
}

func TestExpel(t *testing.T) {
	b := newBench(t, 1)
	for n := range 12 {
		b.join(b.host(n, n%2))
	}
	b.run(time.Minute)
	old := b.places[place{"z0", "h4"}].Keys
	if !b.r.Expel("h2", b.now) || b.r.Expel("h2", b.now) {
		t.Error("it can be shut out once")
	}
	b.run(time.Minute)
	for at := range b.places {
		if at.host == "h2" {
			delete(b.places, at) // nobody tells it anything
		}
	}
	b.check()
	for _, key := range b.places[place{"z0", "h4"}].Keys.Keys {
		for _, known := range old.Keys {
			if key.Secret == known.Secret {
				t.Error("it knows a key of its ring yet")
			}
		}
	}
	if _, kept := b.hosts["h2"]; kept || b.r.Pending() != 0 {
		t.Errorf("it is kept: %v, %d places pending", kept, b.r.Pending())
	}
}
