package member

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testRing = model.RingID("zone-1")

var begin = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// sent is a control datagram that went out.
type sent struct {
	ring model.RingID
	to   string
	wire.Message
}

// fakeWorld remembers what a member did.
type fakeWorld struct {
	sent             []sent
	beats            []string
	pings            int
	reports, relayed []model.Verdict
	watches          map[model.RingID]map[string]bool
	rewatched        []string
	joined           map[model.RingID]bool
	saved            []*model.Assignment
	doubts           []string
}

func (w *fakeWorld) Beat(_ model.RingID, to model.RingMember) { w.beats = append(w.beats, to.Host) }
func (w *fakeWorld) Send(ring model.RingID, to model.RingMember, m wire.Message) {
	w.sent = append(w.sent, sent{ring, to.Host, m})
}
func (w *fakeWorld) Ping(model.RingID, model.RingMember) { w.pings++ }
func (w *fakeWorld) Join(a *model.Assignment)            { w.joined[a.Ring] = true }
func (w *fakeWorld) Part(ring model.RingID)              { delete(w.joined, ring) }
func (w *fakeWorld) Watch(ring model.RingID, from model.RingMember, _ model.KeySet, _ model.Profile) {
	if w.watches[ring] == nil {
		w.watches[ring] = make(map[string]bool)
	}
	w.watches[ring][from.Host] = true
}
func (w *fakeWorld) Rewatch(_ model.RingID, from string)    { w.rewatched = append(w.rewatched, from) }
func (w *fakeWorld) Unwatch(ring model.RingID, from string) { delete(w.watches[ring], from) }
func (w *fakeWorld) Report(v model.Verdict)                 { w.reports = append(w.reports, v) }
func (w *fakeWorld) Relay(v model.Verdict)                  { w.relayed = append(w.relayed, v) }
func (w *fakeWorld) Doubts() []string                       { return w.doubts }
func (w *fakeWorld) Save(assignments []*model.Assignment)   { w.saved = assignments }
func (w *fakeWorld) count(t wire.Type, to string) (n int) {
	for _, s := range w.sent {
		if s.Type == t && s.to == to {
			n++
		}
	}
	return n
}

// bench is a member with its world and clock.
type bench struct {
	*Member
	*fakeWorld
	t   *testing.T
	now time.Time
}

func self() model.RingMember { return someone("me", 1) }

func someone(host string, n byte) model.RingMember {
	return model.RingMember{Host: host, Incarnation: 5, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 1984)}
}

var (
	next, previous = someone("next", 2), someone("previous", 3)
	second, third  = someone("second", 4), someone("third", 5)
	relay          = someone("relay", 6)
)

func keys(first byte) model.KeySet {
	return model.KeySet{Current: 1, Keys: []model.RingKey{{ID: 1, Secret: model.Secret{first}}, {ID: 2, Secret: model.Secret{first + 1}}}}
}

func place(epoch model.Epoch) *model.Assignment {
	return &model.Assignment{
		Ring: testRing, Epoch: epoch, Profile: model.StandardProfile(), Keys: keys(1),
		Next:       model.RingNeighbor{RingMember: next, Beyond: second},
		Previous:   model.RingNeighbor{RingMember: previous, Beyond: third},
		Successors: []model.RingMember{next, second, third, previous}, Relays: []model.RingMember{relay},
	}
}

// bare is a member of no ring.
func bare(t *testing.T) *bench {
	w := &fakeWorld{watches: make(map[model.RingID]map[string]bool), joined: make(map[model.RingID]bool)}
	return &bench{t: t, fakeWorld: w, now: begin, Member: New(Config{Self: self(), World: w, Rand: rand.New(rand.NewPCG(1, 2))})}
}

// placed is a member of one ring of five.
func placed(t *testing.T) *bench {
	b := bare(t)
	b.assign(place(7), 7, true)
	return b
}

func (b *bench) assign(a *model.Assignment, epoch model.Epoch, taken bool) {
	b.t.Helper()
	if got, ok := b.Assign(a, b.now); got != epoch || ok != taken {
		b.t.Errorf("epoch %d is answered by %d and %v, want %d and %v", a.Epoch, got, ok, epoch, taken)
	}
}

func (b *bench) hear(from model.RingMember, m wire.Message) { b.Receive(testRing, from, m, b.now) }

// pass lets time pass, tick by tick, and fails if the member would keep its host busy.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	end := b.now.Add(d)
	for range 100_000 {
		due := b.Next()
		if due.IsZero() || due.After(end) {
			b.now = end
			return
		}
		if due.After(b.now) {
			b.now = due
		}
		b.Tick(b.now)
		if again := b.Next(); !again.IsZero() && !again.After(b.now) {
			b.t.Fatalf("after a tick at %v the next is due at %v", b.now, again)
		}
	}
	b.t.Fatalf("%v take more than 100,000 ticks", d)
}

// quiet makes a neighbor silent.
func (b *bench) quiet(who model.RingMember) { b.Silent(testRing, who.Host, 3*time.Second, b.now) }

// opine answers the open question about a suspect.
func (b *bench) opine(observer model.RingMember, about model.RingMember, s model.Sight) {
	b.t.Helper()
	c := b.cases[about.Host]
	if c == nil {
		b.t.Fatalf("no case is open against %s", about.Host)
	}
	b.hear(observer, wire.Message{Type: wire.Answer, ID: c.probes.ID, Subject: about, Sight: s})
}

// answer lets a suspect answer its probes.
func (b *bench) answer(who model.RingMember) {
	b.t.Helper()
	c := b.cases[who.Host]
	if c == nil {
		b.t.Fatalf("no case is open against %s", who.Host)
	}
	b.hear(who, wire.Message{Type: wire.ProbeAnswer, ID: c.probes.ID, Subject: who})
}

func (b *bench) reported(want ...model.VerdictKind) {
	b.t.Helper()
	if len(b.reports) != len(want) {
		b.t.Fatalf("reported %v, want %v", b.reports, want)
	}
	for i, kind := range want {
		if b.reports[i].Kind != kind {
			b.t.Errorf("report %d is %+v, want %s", i, b.reports[i], kind)
		}
	}
}

// crash has a neighbor found dead by two.
func (b *bench) crash(who model.RingMember) {
	b.t.Helper()
	b.quiet(who)
	b.pass(300 * time.Millisecond)
	b.opine(relay, who, model.SightNothing)
	b.pass(2 * time.Second)
}
