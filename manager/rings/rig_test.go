package rings

import (
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
	backward bool              // hosts know later plans than the manager, and say so
	tenants  map[string]string // of hosts
}

func newBench(t *testing.T, seed uint64) *bench {
	b := &bench{
		t: t, now: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), deaf: make(map[string]bool), places: make(map[place]*model.Assignment),
		hosts: make(map[string]Host), rings: make(map[model.RingID]Ring), tenants: make(map[string]string),
	}
	b.r = b.fresh(seed)
	return b
}

func (b *bench) fresh(seed uint64) *Rings {
	random := rand.New(rand.NewPCG(seed, 1))
	return New(Config{
		Self: model.RingMember{Host: model.ManagerHost}, World: b, Rand: random, Reporter: model.ReportID{Reporter: model.ManagerHost, Incarnation: 1},
		Tenant: func(host string) string { return b.tenants[host] },
		Secret: func() (s model.Secret) { s[0], s[1] = byte(random.Uint32()), byte(random.Uint32()); return s },
	})
}

// restart begins another life of the manager with what was kept.
func (b *bench) restart() {
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
	b.r.Remind(b.now)
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

func (b *bench) Ping(model.RingID, model.RingMember) {}
func (b *bench) KeepHost(h *Host)                    { c := *h; c.Rings = slices.Clone(h.Rings); b.hosts[h.Host] = c }
func (b *bench) KeepRing(r *Ring)                    { c := *r; c.Order = slices.Clone(r.Order); b.rings[r.ID] = c }
func (b *bench) DropRing(id model.RingID)            { delete(b.rings, id) }
func (b *bench) DropHost(host string)                { delete(b.hosts, host) }
func (b *bench) Verdict(v model.Verdict)             { b.verdicts = append(b.verdicts, v) }
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
			if h := b.r.hosts[name]; h.Tenant != ring.Tenant || h.Tenant != b.tenants[name] {
				b.t.Fatalf("%s of %q is known as one of %q, on %s of %q", name, b.tenants[name], h.Tenant, ring.ID, ring.Tenant)
			}
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
	for tenant := range b.r.levels {
		if tenant.level == 0 {
			b.checkRepresentatives(b.r.level(tenant))
		}
	}
}

// checkRepresentatives looks whether a tenant's rings have theirs on the ring above.
func (b *bench) checkRepresentatives(lower []*Ring) {
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

// say is a verdict of one host on another, in the log and taken.
func (b *bench) say(reporter, subject string, kind model.VerdictKind, change ...func(*model.Verdict)) model.Verdict {
	v := b.verdict(reporter, subject, kind, change...)
	b.r.TakeFrom(reporter, v, b.now)
	b.run(10 * time.Second)
	return v
}

func (b *bench) verdict(reporter, subject string, kind model.VerdictKind, change ...func(*model.Verdict)) model.Verdict {
	b.sequence++
	v := model.Verdict{
		ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: b.sequence}, Kind: kind, Subject: b.r.Host(subject).RingMember, Evidence: silence(),
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

// corrected says whether the manager has taken a verdict back.
func (b *bench) corrected(v model.Verdict) bool {
	return slices.ContainsFunc(b.verdicts, func(o model.Verdict) bool { return o.Corrects != nil && *o.Corrects == v.ID })
}

// zoned are hosts of two zones: h0, h2, h4 of z0 and h1, h3, h5 of z1.
func zoned(t *testing.T) *bench {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, n%2))
	}
	b.run(time.Minute)
	return b
}
