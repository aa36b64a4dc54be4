package inquiry

import (
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

const (
	window = 2 * time.Second
	id     = 77
)

var (
	begin   = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	subject = model.RingMember{Host: "web-1", Incarnation: 3, Addr: netip.MustParseAddrPort("10.0.0.1:1984")}
	other   = netip.MustParseAddrPort("10.0.0.2:1984")
)

// All probes with their answers take half of the window, when the steps are in time.
func TestProbesInTime(t *testing.T) {
	for _, window := range []time.Duration{model.StandardProfile().Window, model.FastProfile().Window, time.Hour} {
		q, now := New(subject, id, window, begin), begin
		for i := range Probes {
			if q.Due() != now || q.Step(now.Add(-1)) || !q.Step(now) || q.Step(now) {
				t.Fatalf("%v: probe %d is not sent once, at %v: due at %v", window, i, now, q.Due())
			}
			now = now.Add(Gap(window))
		}
		if q.Ended() || q.Due() != begin.Add(window/2) || q.Sent() != Probes {
			t.Errorf("%v: after %d probes due at %v", window, q.Sent(), q.Due())
		}
		if q.Step(now) || !q.Ended() || !q.Due().IsZero() || q.Sight() != model.SightNothing {
			t.Errorf("%v: not over after the last gap", window)
		}
		if q.Step(now.Add(time.Hour)) || q.Sent() != Probes {
			t.Errorf("%v: goes on", window)
		}
	}
}

// A caller that is late sends no probes in one heap, and each still has its gap.
func TestLateSteps(t *testing.T) {
	q := New(subject, id, window, begin)
	late := begin.Add(time.Hour)
	for i := range Probes {
		if !q.Step(late) || q.Step(late) || q.Due() != late.Add(Gap(window)) {
			t.Fatalf("probe %d: due at %v", i, q.Due())
		}
		late = q.Due()
	}
}

func TestSight(t *testing.T) {
	type hears func(*Inquiry)
	answer := func(of uint64) hears { return func(q *Inquiry) { q.Answer(of) } }
	refused := func(by netip.AddrPort) hears { return func(q *Inquiry) { q.Refused(by) } }
	echoed := func(by netip.Addr) hears { return func(q *Inquiry) { q.Echoed(by) } }
	reflected := func(by netip.AddrPort, life model.Incarnation, progress uint64) hears {
		return func(q *Inquiry) { q.Reflected(by, life, progress) }
	}
	for name, c := range map[string]struct {
		hears []hears
		want  model.Sight
		ended bool
	}{
		"its kernel reflects":     {[]hears{reflected(subject.Addr, 3, 9)}, model.SightKernel, false},
		"no progress":             {[]hears{reflected(subject.Addr, 3, 9), reflected(subject.Addr, 3, 9)}, model.SightKernel, false},
		"progress":                {[]hears{reflected(subject.Addr, 3, 9), reflected(subject.Addr, 3, 10)}, model.SightAgent, false},
		"progress since 0":        {[]hears{reflected(subject.Addr, 3, 0), reflected(subject.Addr, 3, 1)}, model.SightAgent, false},
		"progress elsewhere":      {[]hears{reflected(other, 3, 9), reflected(other, 3, 10)}, model.SightNothing, false},
		"progress of another":     {[]hears{reflected(subject.Addr, 4, 9), reflected(subject.Addr, 4, 10)}, model.SightKernel, false},
		"a new life":              {[]hears{reflected(subject.Addr, 3, 9), reflected(subject.Addr, 4, 0)}, model.SightKernel, false},
		"nothing":                 {nil, model.SightNothing, false},
		"answer":                  {[]hears{answer(id)}, model.SightAgent, true},
		"answer to another":       {[]hears{answer(id + 1)}, model.SightNothing, false},
		"refused":                 {[]hears{refused(subject.Addr)}, model.SightRefused, false},
		"refused elsewhere":       {[]hears{refused(other)}, model.SightNothing, false},
		"refused at another port": {[]hears{refused(netip.AddrPortFrom(subject.Addr.Addr(), 9))}, model.SightNothing, false},
		"echo":                    {[]hears{echoed(subject.Addr.Addr())}, model.SightKernel, false},
		"echo of another":         {[]hears{echoed(other.Addr())}, model.SightNothing, false},
		"echo, refused":           {[]hears{echoed(subject.Addr.Addr()), refused(subject.Addr)}, model.SightRefused, false},
		"refused, echo":           {[]hears{refused(subject.Addr), echoed(subject.Addr.Addr())}, model.SightRefused, false},
		"refused, answer":         {[]hears{refused(subject.Addr), echoed(subject.Addr.Addr()), answer(id)}, model.SightAgent, true},
		"answer, refused":         {[]hears{answer(id), refused(subject.Addr)}, model.SightAgent, true},
		"answer twice":            {[]hears{answer(id), answer(id)}, model.SightAgent, true},
	} {
		t.Run(name, func(t *testing.T) {
			q := New(subject, id, window, begin)
			q.Step(begin)
			for _, hear := range c.hears {
				hear(q)
			}
			if q.Sight() != c.want || q.Ended() != c.ended || q.Due().IsZero() != c.ended {
				t.Errorf("sight is %s, ended %v, due %v", q.Sight(), q.Ended(), q.Due())
			}
			if q.Step(begin.Add(time.Hour)) == c.ended {
				t.Error("it goes on, or does not")
			}
		})
	}
}

// An answer that comes after the last probe counts.
func TestLateAnswer(t *testing.T) {
	q := New(subject, id, window, begin)
	for now := begin; !q.Ended(); now = now.Add(Gap(window)) {
		q.Step(now)
	}
	if !q.Answer(id) || q.Sight() != model.SightAgent || q.Sent() != Probes {
		t.Errorf("sight is %s after %d probes", q.Sight(), q.Sent())
	}
}
