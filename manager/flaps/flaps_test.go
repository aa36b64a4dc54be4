package flaps

import (
	"fmt"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func TestHysteresis(t *testing.T) {
	var b Book
	for i := range Begin - 1 {
		if b.Changed("x", at(i*60), 1) {
			t.Fatalf("flapping after %d changes", i+1)
		}
	}
	if _, ok := b.Of("x", at(300)); ok {
		t.Error("flapping before it began")
	}
	if !b.Changed("x", at(300), 1) {
		t.Error("not flapping after six changes in ten minutes")
	}
	if b.Changed("x", at(310), 1) {
		t.Error("began twice")
	}
	f, ok := b.Of("x", at(320))
	if want := (Flap{"x", 7, at(300), at(310)}); !ok || f != want {
		t.Errorf("got %+v, %v, want %+v", f, ok, want)
	}
	// Three changes are still in the window: more than is calm, fewer than begin it.
	if f, ok := b.Of("x", at(600+239)); !ok || f.Changes != 3 {
		t.Errorf("got %+v, %v", f, ok)
	}
	if _, ok := b.Of("x", at(600+240)); ok {
		t.Error("two changes are not calm")
	}
	// It calmed down, so that it takes six changes again.
	if b.Changed("x", at(600+250), 1) {
		t.Error("began with one change")
	}
	if _, ok := b.Of("x", at(600+250)); ok {
		t.Error("flapping by what is over")
	}
	if n := len(b.All(at(320))); n != 0 {
		t.Errorf("%d are flapping", n)
	}
}

func TestSlowChangesAreNoFlapping(t *testing.T) {
	var b Book
	for i := range 100 {
		if b.Changed("x", at(i*121), 1) {
			t.Fatal("a change every two minutes is five in ten")
		}
	}
	for i := range 100 {
		began := b.Changed("y", at(i*100), 1)
		if began != (i == 5) {
			t.Fatalf("began %v with change %d", began, i)
		}
	}
	if f, ok := b.Of("y", at(9900)); !ok || f.Changes != 6 || f.Since != at(500) {
		t.Errorf("got %+v, %v", f, ok)
	}
}

func TestMany(t *testing.T) {
	var b Book
	if !b.Changed("x", at(0), 100) {
		t.Error("a hundred changes at once are no flapping")
	}
	if f, _ := b.Of("x", at(1)); f.Changes != kept {
		t.Errorf("got %+v", f)
	}
	for i := range Limit - 1 {
		b.Changed(fmt.Sprint(i), at(0), 1)
	}
	b.Changed("more", at(1), Begin)
	if _, ok := b.Of("more", at(1)); ok || b.Refused() != 1 {
		t.Errorf("there was room, refused %d", b.Refused())
	}
	b.Changed("more", at(590), Begin)
	if b.Changed("more", at(610), Begin); b.Refused() != 3 { // all are calm, which was looked at just before
		t.Errorf("looked for room again within a minute, refused %d", b.Refused())
	}
	b.Changed("more", at(700), Begin)
	if _, ok := b.Of("more", at(700)); !ok || len(b.all) != 1 {
		t.Errorf("there was no room among %d", len(b.all))
	}
	b.Forget("more")
	if _, ok := b.Of("more", at(700)); ok {
		t.Error("was not forgotten")
	}
}
