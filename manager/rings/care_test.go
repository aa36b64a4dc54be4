package rings

import (
	"testing"
	"time"

	"cassini/model"
)

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
