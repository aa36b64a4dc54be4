package rings

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

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

// A host that stands alone in its zone, or in none that is known, is looked at itself.
func TestDeathToldElsewhereOfOneAlone(t *testing.T) {
	for _, zone := range []string{"z9", ""} {
		b := zoned(t)
		for n := 6; n < 8; n++ {
			j := b.host(n, n) // of zones of their own
			if j.Zone = ""; zone != "" {
				j.Zone = fmt.Sprint(zone, n)
			}
			b.join(j)
		}
		b.run(time.Minute)
		v := b.say("h0", "h6", model.VerdictCrashed)
		if got := b.r.Host("h6").State; got != Up || !b.corrected(v) {
			t.Errorf("in zone %q a living host is %s", zone, got)
		}
		b.deaf["h6"] = true
		if v = b.say("h0", "h6", model.VerdictCrashed); b.r.Host("h6").State != Crashed || b.corrected(v) {
			t.Errorf("in zone %q a dead host is %s", zone, b.r.Host("h6").State)
		}
	}
}

// What was said of a host before its zone was lost is part of that, and ends with it.
func TestUnwellBeforeItsZoneIsLost(t *testing.T) {
	b := zoned(t)
	v := b.say("h1", "h3", model.VerdictHung)
	for _, name := range []string{"h1", "h3", "h5"} {
		b.deaf[name] = true
	}
	b.run(time.Minute)
	b.say("h0", "h1", model.VerdictCrashed)
	if h := b.r.Host("h3"); !h.ZoneLost || !b.corrected(v) {
		t.Errorf("it is %s, and that it was hung is corrected: %v", h.State, b.corrected(v))
	}
}
