package rings

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
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
	clear(b.deaf) // nobody but the manager looks after it
	b.run(lastCare)
	if h := b.r.Host("h5"); h.State != Up {
		t.Errorf("it answers again, and is %s", h.State)
	}
}

// A host of a lost zone that is plugged in elsewhere is none of that zone any more.
func TestMovedOutOfALostZone(t *testing.T) {
	b := zoned(t)
	for _, name := range []string{"h1", "h3", "h5"} {
		b.deaf[name] = true
	}
	b.say("h0", "h1", model.VerdictCrashed)
	if h := b.r.Host("h3"); !h.ZoneLost {
		t.Fatalf("it is %s", h.State)
	}
	if _, err := b.r.Join(b.host(3, 2), b.now); err != nil { // still deaf
		t.Fatal(err)
	}
	if h := b.r.Host("h3"); h.State != Unobservable || h.ZoneLost || b.hosts["h3"].ZoneLost {
		t.Errorf("it is %s, by its zone: %v", h.State, h.ZoneLost)
	}
	b.restart()
	b.run(time.Minute)
	if b.r.lost["z1"] == nil || b.r.lost["z2"] != nil {
		t.Errorf("zones %v are lost", slices.Sorted(maps.Keys(b.r.lost)))
	}
	delete(b.deaf, "h3")
	b.run(lastCare)
	if h, other := b.r.Host("h3"), b.r.Host("h1"); h.State != Up || other.State != Unobservable {
		t.Errorf("it is %s, and who stayed is %s", h.State, other.State)
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
	if last := b.verdicts[len(b.verdicts)-1]; last.Kind != model.VerdictCorrected || *last.Corrects != v.ID {
		t.Errorf("it is not corrected: %+v", last)
	}
	b.deaf["h2"] = true
	v.ID.Sequence++
	b.r.TakeFrom("h4", v, b.now)
	b.run(3 * time.Second)
	if got := b.r.Host("h2").State; got != Crashed {
		t.Errorf("dead, and told by one who kept it for h1, it is %s", got)
	}
}

// say is a verdict of one host on another, in the log and taken.
func (b *bench) say(reporter, subject string, kind model.VerdictKind, change ...func(*model.Verdict)) model.Verdict {
	b.sequence++
	v := model.Verdict{
		ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: b.sequence}, Kind: kind, Subject: b.r.Host(subject).RingMember, Evidence: silence(),
	}
	for _, c := range change {
		c(&v)
	}
	b.r.TakeFrom(reporter, v, b.now)
	b.run(10 * time.Second)
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

// What another zone says may be of a time in which it was cut off.
func TestDeathToldElsewhere(t *testing.T) {
	b := zoned(t)
	v := b.say("h1", "h2", model.VerdictCrashed)
	if h := b.r.Host("h2"); h.State != Up || len(h.Rings) == 0 || !b.corrected(v) {
		t.Errorf("a living host is %s, and what was said of it is corrected: %v", h.State, b.corrected(v))
	}
	b.deaf["h2"] = true
	if v = b.say("h1", "h2", model.VerdictCrashed); b.r.Host("h2").State != Crashed || b.corrected(v) {
		t.Errorf("a dead host is %s", b.r.Host("h2").State)
	}
}

// One that has just come back may bring what it said of others while it was away.
func TestLateWordsOfOneThatWasAway(t *testing.T) {
	b := zoned(t)
	b.deaf["h0"] = true
	b.say("h2", "h0", model.VerdictCrashed)
	clear(b.deaf)
	b.say("h0", "h1", model.VerdictLink) // whatever it brings, it is there
	if h := b.r.Host("h0"); h.State != Up {
		t.Fatalf("it is %s, and has brought something", h.State)
	}
	if v := b.say("h0", "h2", model.VerdictCrashed); b.r.Host("h2").State != Up || !b.corrected(v) {
		t.Errorf("h2 is %s", b.r.Host("h2").State)
	}
	b.run(2 * lateWords)
	if b.say("h0", "h2", model.VerdictCrashed); b.r.Host("h2").State != Crashed {
		t.Errorf("much later it is believed at once, but h2 is %s", b.r.Host("h2").State)
	}
}

// Whoever watches a host no more takes back what it said, and nobody may say more of it:
// the manager looks.
func TestUnlinked(t *testing.T) {
	b := zoned(t)
	unlinked := func(v *model.Verdict) { v.Evidence = model.Evidence{Clue: model.ClueUnlinked} }
	for _, kind := range []model.VerdictKind{model.VerdictUnobservable, model.VerdictHung} {
		v := b.say("h0", "h2", kind)
		if got := b.r.Host("h2").State; got != stateOf(kind) {
			t.Fatalf("it is %s", got)
		}
		b.deaf["h2"] = true
		if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != stateOf(kind) || b.corrected(v) {
			t.Errorf("silent, it is %s", b.r.Host("h2").State)
		}
		clear(b.deaf)
		if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Up || !b.corrected(v) {
			t.Errorf("it answers, and is %s", b.r.Host("h2").State)
		}
	}
	b.say("h0", "h2", model.VerdictLink)
	if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Up {
		t.Errorf("a link that is none any more leaves it %s", b.r.Host("h2").State)
	}
	b.deaf["h2"] = true
	b.say("h0", "h2", model.VerdictCrashed)
	if b.say("h4", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Crashed {
		t.Errorf("dead, it is %s", b.r.Host("h2").State)
	}
}

func TestVerdictOfAnEarlierLifeIsCorrected(t *testing.T) {
	b := zoned(t)
	again := b.host(2, 0)
	again.Incarnation = 2
	b.join(again)
	v := b.say("h0", "h2", model.VerdictCrashed, func(v *model.Verdict) { v.Subject.Incarnation = 1 })
	if b.r.Host("h2").State != Up || !b.corrected(v) {
		t.Errorf("h2 is %s, corrected: %v", b.r.Host("h2").State, b.corrected(v))
	}
}

// A reporter whose life ends takes nothing back any more: the manager looks after those of
// whom it said something.
func TestCare(t *testing.T) {
	for _, kind := range []model.VerdictKind{model.VerdictLink, model.VerdictUnobservable, model.VerdictHung} {
		b := zoned(t)
		v := b.say("h0", "h2", kind)
		again := b.host(0, 0)
		again.Incarnation = 2
		b.join(again)
		b.run(2 * firstCare)
		if got := b.r.Host("h2").State; got != Up || !b.corrected(v) {
			t.Errorf("%s: it is %s", kind, got)
		}
		b.run(lastCare)
		if n := len(b.r.cares); n != 0 {
			t.Errorf("%s: %d are looked after yet", kind, n)
		}
	}
	b := zoned(t)
	b.say("h0", "h2", model.VerdictLink)
	b.run(time.Hour)
	if got := b.r.Host("h2").State; got != LinkDown {
		t.Errorf("who says that the link is down lives, and it is %s", got)
	}
	b.deaf["h4"] = true
	b.say("h0", "h4", model.VerdictUnobservable)
	before := b.r.Stats().Inquiries
	b.run(time.Hour)
	if n := b.r.Stats().Inquiries - before; n < 20 || n > 40 {
		t.Errorf("two that are unwell were asked %d times in an hour", n)
	}
}

// A zone that an earlier life declared lost is found again.
func TestLostZoneAfterARestart(t *testing.T) {
	b := zoned(t)
	for _, name := range []string{"h1", "h3", "h5"} {
		b.deaf[name] = true
	}
	b.say("h0", "h1", model.VerdictCrashed)
	b.run(10 * time.Second)
	lost := slices.IndexFunc(b.verdicts, func(v model.Verdict) bool { return v.Kind == model.VerdictSegment })
	if lost < 0 {
		t.Fatalf("verdicts %+v", b.verdicts)
	}
	b.restart()
	b.run(time.Minute)
	clear(b.deaf)
	b.run(2 * lastLook)
	for _, h := range b.r.Hosts() {
		if h.State != Up || h.ZoneLost {
			t.Errorf("%s is %s", h.Host, h.State)
		}
	}
	if !b.corrected(b.verdicts[lost]) {
		t.Error("the loss of the zone is not taken back")
	}
}
