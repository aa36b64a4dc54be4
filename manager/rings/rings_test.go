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
	"cassini/model/wire"
)

// bench is a World that acknowledges what it is told, and remembers all of it.
type bench struct {
	t        *testing.T
	r        *Rings
	now      time.Time
	deaf     map[string]bool // hosts that do not answer
	places   map[place]*model.Assignment
	hosts    map[string]Host
	rings    map[model.RingID]Ring
	verdicts []model.Verdict
	sent     int
	answers  []func()
	sequence uint64
	backward bool // hosts know later plans than the manager, and say so
}

func newBench(t *testing.T, seed uint64) *bench {
	b := &bench{
		t: t, now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), deaf: make(map[string]bool), places: make(map[place]*model.Assignment),
		hosts: make(map[string]Host), rings: make(map[model.RingID]Ring),
	}
	b.r = b.fresh(seed)
	return b
}

func (b *bench) fresh(seed uint64) *Rings {
	random := rand.New(rand.NewPCG(seed, 1))
	return New(Config{
		Self: model.RingMember{Host: model.ManagerHost}, World: b, Rand: random, Reporter: model.ReportID{Reporter: model.ManagerHost, Incarnation: 1},
		Secret: func() (s model.Secret) { s[0], s[1] = byte(random.Uint32()), byte(random.Uint32()); return s },
	})
}

func (b *bench) Send(ring model.RingID, to model.RingMember, m wire.Message) {
	b.sent++
	if b.deaf[to.Host] {
		return
	}
	switch m.Type {
	case wire.Instruction:
		a := m.Assignment
		at := place{a.Ring, to.Host}
		if old := b.places[at]; old != nil && a.Epoch < old.Epoch && b.backward {
			b.reply(to.Host, wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: old.Epoch})
			return
		}
		if old := b.places[at]; old != nil && (a.Epoch < old.Epoch || a.Epoch == old.Epoch && !reflect.DeepEqual(a, old)) {
			b.t.Fatalf("%s was told epoch %d of %s after %d, and something else", to.Host, a.Epoch, a.Ring, old.Epoch)
		}
		b.places[at] = a
		if a.Gone {
			delete(b.places, at)
		}
		b.reply(to.Host, wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: a.Epoch})
	case wire.Probe:
		b.reply(to.Host, wire.Message{Type: wire.ProbeAnswer, ID: m.ID})
	}
}

func (b *bench) reply(host string, m wire.Message) {
	life := b.r.hosts[host].Incarnation
	b.answers = append(b.answers, func() {
		b.r.Receive(model.ManagerRing(host), model.RingMember{Host: host, Incarnation: life}, m, b.now)
	})
}

func (b *bench) Ping(netip.Addr)          {}
func (b *bench) KeepHost(h *Host)         { c := *h; c.Rings = slices.Clone(h.Rings); b.hosts[h.Host] = c }
func (b *bench) KeepRing(r *Ring)         { c := *r; c.Order = slices.Clone(r.Order); b.rings[r.ID] = c }
func (b *bench) DropRing(id model.RingID) { delete(b.rings, id) }
func (b *bench) DropHost(host string)     { delete(b.hosts, host) }
func (b *bench) Verdict(v model.Verdict)  { b.verdicts = append(b.verdicts, v) }
func (b *bench) addr(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 1985)
}
func (b *bench) host(n, zone int) model.Join {
	return model.Join{RingMember: model.RingMember{Host: fmt.Sprintf("h%d", n), Addr: b.addr(n), Incarnation: 1, Zone: fmt.Sprintf("z%d", zone)}}
}

// run lets time pass.
func (b *bench) run(d time.Duration) {
	for end := b.now.Add(d); ; {
		for len(b.answers) > 0 {
			answer := b.answers[0]
			b.answers = b.answers[1:]
			answer()
		}
		next := b.r.Next()
		if next.IsZero() || next.After(end) {
			b.now = end
			return
		}
		if next.After(b.now) {
			b.now = next
		}
		b.r.Tick(b.now)
	}
}

func (b *bench) join(j model.Join) {
	b.t.Helper()
	joined, err := b.r.Join(j, b.now)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, a := range joined.Assignments {
		if a.Gone {
			delete(b.places, place{a.Ring, j.Host})
		} else {
			b.places[place{a.Ring, j.Host}] = a
		}
	}
	delete(b.deaf, j.Host)
}

// crash is a member's report of a death, with the host deaf from then on.
func (b *bench) crash(host string) {
	b.deaf[host] = true
	h := b.r.hosts[host]
	reporter := ""
	for _, o := range b.r.Hosts() {
		if o.Host != host && o.Zone == h.Zone && o.alive() && !b.deaf[o.Host] {
			reporter = o.Host
		}
	}
	if reporter == "" {
		reporter = "elsewhere"
	}
	b.sequence++
	b.r.Take(model.Verdict{ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: b.sequence}, Kind: model.VerdictCrashed, Subject: h.RingMember, Evidence: silence()}, b.now)
}

// silence is what two observers saw.
func silence() model.Evidence {
	return model.Evidence{Observations: []model.Observation{{Observer: "a", Sight: model.SightNothing}, {Observer: "b", Sight: model.SightNothing}}}
}

// check holds what everybody was told against what is, and what is against the rules.
func (b *bench) check() {
	b.t.Helper()
	for _, ring := range b.r.rings {
		if len(ring.Order) == 0 || len(ring.Order) > MaxRing {
			b.t.Fatalf("%s has %d members", ring.ID, len(ring.Order))
		}
		for _, name := range ring.Order {
			want := b.r.assignment(ring, name)
			got := b.places[place{ring.ID, name}]
			if b.deaf[name] {
				continue
			}
			if got == nil {
				b.t.Fatalf("%s does not know its place in %s", name, ring.ID)
			}
			want.Epoch = got.Epoch
			want.Relays, got.Relays = nil, nil // of those farther away each is told with the next change
			if !reflect.DeepEqual(got, want) {
				b.t.Fatalf("%s was told %+v in %s, and it is %+v", name, got, ring.ID, want)
			}
		}
	}
	for at := range b.places {
		if h := b.r.hosts[at.host]; h.alive() && !b.deaf[at.host] && !slices.Contains(h.Rings, at.ring) {
			b.t.Fatalf("%s still believes to be in %s", at.host, at.ring)
		}
	}
	for _, h := range b.r.Hosts() {
		levels := make(map[int]int)
		for _, id := range h.Rings {
			levels[b.r.rings[id].Level]++
		}
		company := slices.ContainsFunc(h.Rings, func(id model.RingID) bool { return len(b.r.rings[id].Order) > 1 })
		if vigil := b.r.alone[h.Host] != nil; vigil != (h.alive() && !company) {
			b.t.Fatalf("%s (%s) on %v: watched by the manager: %v", h.Host, h.State, h.Rings, vigil)
		}
		if h.alive() != (levels[0] == 1) || levels[0] > 1 || levels[1] > 1 {
			b.t.Fatalf("%s (%s) is on %v", h.Host, h.State, h.Rings)
		}
	}
	lower := b.r.level(0)
	for _, ring := range lower {
		up := 0
		for _, name := range ring.Order {
			if b.r.on(b.r.hosts[name], 1) != nil {
				up++
			}
		}
		want := min(Representatives, len(ring.Order))
		if len(lower) < 2 {
			want = 0
		}
		if up != want {
			b.t.Fatalf("%s of %d has %d representatives, want %d", ring.ID, len(ring.Order), up, want)
		}
	}
}

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

func TestStaleAndTwice(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	again := b.host(2, 0)
	again.Incarnation = 2
	b.join(again)
	b.run(time.Minute)
	stale := model.Verdict{ID: model.ReportID{Reporter: "h1", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: b.host(2, 0).RingMember, Evidence: silence()}
	b.r.Take(stale, b.now)
	if h := b.r.Host("h2"); h.State != Up || b.r.Stats().Stale != 1 {
		t.Errorf("a certificate of an earlier life counts: %s, %+v", h.State, b.r.Stats())
	}
	b.deaf["h2"] = true
	stale.ID.Sequence, stale.Subject.Incarnation = 2, 2
	b.r.Take(stale, b.now)
	b.r.Take(stale, b.now)
	if got := b.r.Stats().Verdicts[model.VerdictCrashed]; got != 1 || b.r.Host("h2").State != Crashed {
		t.Errorf("%d verdicts taken, h2 is %s", got, b.r.Host("h2").State)
	}
	old := b.host(2, 0)
	if joined, err := b.r.Join(old, b.now); err != nil || joined.Incarnation != 3 || len(joined.Assignments) > 0 {
		t.Errorf("a life that is over joins: %+v, %v", joined, err)
	}
}

func TestSegment(t *testing.T) {
	b := newBench(t, 3)
	for n := range 24 {
		b.join(b.host(n, n/8))
	}
	b.run(time.Minute)
	for n := range 8 {
		b.deaf[fmt.Sprintf("h%d", n)] = true
	}
	b.sequence++
	b.r.Take(model.Verdict{ID: model.ReportID{Reporter: "h9", Incarnation: 1, Sequence: b.sequence}, Kind: model.VerdictCrashed, Subject: b.r.Host("h0").RingMember, Evidence: silence()}, b.now)
	b.run(3 * time.Second)
	for n := range 24 {
		h := b.r.Host(fmt.Sprintf("h%d", n))
		if want := map[bool]State{true: Unobservable, false: Up}[n < 8]; h.State != want {
			t.Errorf("%s is %s, want %s", h.Host, h.State, want)
		}
	}
	if len(b.verdicts) != 2 || b.verdicts[0].Kind != model.VerdictSegment || b.verdicts[1].Kind != model.VerdictCorrected || b.verdicts[1].Became != model.VerdictSegment {
		t.Errorf("verdicts %+v", b.verdicts)
	}
	clear(b.deaf)
	b.deaf["h5"] = true // it died meanwhile
	b.run(3 * time.Minute)
	for n := range 24 {
		h := b.r.Host(fmt.Sprintf("h%d", n))
		if want := map[bool]State{true: Unobservable, false: Up}[n == 5]; h.State != want {
			t.Errorf("after its return %s is %s, want %s", h.Host, h.State, want)
		}
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
	var hosts []*Host
	var all []*Ring
	for _, h := range b.hosts {
		hosts = append(hosts, &h)
	}
	for _, r := range b.rings {
		all = append(all, &r)
	}
	b.r = b.fresh(9)
	b.r.Restore(hosts, all, b.now)
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

func TestWhoIsBelieved(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	accuse := func(host string, e model.Evidence) State {
		b.sequence++
		b.r.Take(model.Verdict{ID: model.ReportID{Reporter: "h0", Incarnation: 1, Sequence: b.sequence}, Kind: model.VerdictCrashed, Subject: b.r.Host(host).RingMember, Evidence: e}, b.now)
		b.run(3 * time.Second)
		return b.r.Host(host).State
	}
	alone := silence()
	alone.Observations = alone.Observations[:1]
	if got := accuse("h1", alone); got != Unobservable {
		t.Errorf("accused by one alone it is %s", got)
	}
	wrong := silence()
	wrong.Observations[0].Score = 20
	if got := accuse("h2", wrong); got != Up {
		t.Errorf("alive, and accused by one that errs often, it is %s", got)
	}
	b.deaf["h3"] = true
	if got := accuse("h3", wrong); got != Crashed {
		t.Errorf("dead, and accused by one that errs often, it is %s", got)
	}
	if got := accuse("h4", silence()); got != Crashed {
		t.Errorf("accused by two it is %s", got)
	}
}

func TestLateWordsOfOneThatLeft(t *testing.T) {
	b := newBench(t, 1)
	for n := range 4 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	h2 := model.RingMember{Host: "h2", Incarnation: 1}
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Leave, ID: 1, Subject: h2}, b.now)
	b.deaf["h2"] = true
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Ack, Ring: "z0", Epoch: 1}, b.now)
	if got := b.r.Host("h2").State; got != Stopped {
		t.Errorf("a word that came late makes it %s", got)
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

func TestOthersWords(t *testing.T) {
	b := newBench(t, 1)
	for n := range 5 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	v := model.Verdict{ID: model.ReportID{Reporter: "h1", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: b.r.Host("h2").RingMember, Evidence: silence()}
	b.r.TakeFrom("h4", v, b.now)
	b.run(3 * time.Second)
	if got := b.r.Host("h2").State; got != Up {
		t.Errorf("it is %s: h4 said so in the name of h1", got)
	}
	b.deaf["h2"] = true
	b.r.TakeFrom("h4", v, b.now)
	b.run(3 * time.Second)
	if got := b.r.Host("h2").State; got != Crashed {
		t.Errorf("dead, and told by one who kept it for h1, it is %s", got)
	}
}
