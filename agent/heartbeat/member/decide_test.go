package member

import (
	"testing"
	"time"

	"cassini/model"
)

func seen(score uint8, sights ...model.Sight) (e model.Evidence) {
	for _, s := range sights {
		e.Observations = append(e.Observations, model.Observation{Sight: s, Score: score})
	}
	return e
}

func TestDecide(t *testing.T) {
	const (
		agent, refused, kernel, left = model.SightAgent, model.SightRefused, model.SightKernel, model.SightLeft
		nothing, unable, pending     = model.SightNothing, model.SightUnable, model.SightPending
	)
	for _, c := range []struct {
		want   model.VerdictKind
		score  uint8
		sights []model.Sight
	}{
		{model.VerdictUnobservable, 0, nil},
		{model.VerdictUnobservable, 0, []model.Sight{nothing}},
		{model.VerdictUnobservable, 0, []model.Sight{nothing, unable}},
		{model.VerdictUnobservable, 0, []model.Sight{unable, nothing}},
		{model.VerdictUnobservable, 0, []model.Sight{nothing, pending}},
		{model.VerdictUnobservable, 0, []model.Sight{nothing, "new-in-a-later-version"}},
		{model.VerdictCrashed, 0, []model.Sight{nothing, nothing}},
		{model.VerdictCrashed, 0, []model.Sight{unable, nothing, nothing}},
		{model.VerdictCrashed, untrusted - 1, []model.Sight{nothing, nothing}},
		{model.VerdictUnobservable, untrusted, []model.Sight{nothing, nothing, nothing}},
		{model.VerdictLink, 0, []model.Sight{nothing, agent}},
		{model.VerdictLink, 0, []model.Sight{nothing, nothing, nothing, agent}},
		{model.VerdictLink, 255, []model.Sight{refused, agent}},
		{model.VerdictLink, 0, []model.Sight{left, agent}},
		{model.VerdictStopped, 0, []model.Sight{nothing, left}},
		{model.VerdictStopped, 0, []model.Sight{refused, refused, left}},
		{model.VerdictHung, 0, []model.Sight{kernel}},
		{model.VerdictHung, 0, []model.Sight{nothing, kernel, nothing, nothing}},
		{model.VerdictHung, 0, []model.Sight{refused}},
		{model.VerdictHung, 0, []model.Sight{refused, kernel}},
		{model.VerdictEnded, 0, []model.Sight{refused, refused}},
		{model.VerdictEnded, 0, []model.Sight{nothing, refused}},
		{model.VerdictEnded, 255, []model.Sight{refused, refused}},
		{model.VerdictHung, 255, []model.Sight{nothing, refused}},
	} {
		if got := Decide(seen(c.score, c.sights...)); got != c.want {
			t.Errorf("%v with score %d is %s, want %s", c.sights, c.score, got, c.want)
		}
	}
}

// One who is trusted and one who is not are one.
func TestDecideNeedsTwoWhoAreTrusted(t *testing.T) {
	e := seen(0, model.SightNothing, model.SightNothing, model.SightUnable)
	e.Observations[0].Score = untrusted
	if got := Decide(e); got != model.VerdictUnobservable {
		t.Errorf("verdict is %s", got)
	}
}

// Whatever is seen: no death without two who saw no life, and none if anybody hears the agent.
func TestDecideAll(t *testing.T) {
	all := []model.Sight{model.SightAgent, model.SightRefused, model.SightKernel, model.SightNothing, model.SightUnable, model.SightPending}
	for n := range 6 * 6 * 6 * 6 {
		sights := []model.Sight{all[n%6], all[n/6%6], all[n/36%6], all[n/216%6]}
		dead, agent := 0, false
		for _, s := range sights {
			agent = agent || s == model.SightAgent
			if s == model.SightNothing || s == model.SightRefused {
				dead++
			}
		}
		if kind := Decide(seen(0, sights...)); kind.Death() && (agent || dead < 2) {
			t.Errorf("%v is %s", sights, kind)
		}
	}
}

func TestScore(t *testing.T) {
	var s score
	if s.at(begin) != 0 || s.at(begin.Add(time.Hour)) != 0 {
		t.Error("a score without accusations")
	}
	now := begin.Add(time.Hour)
	for range 300 {
		s.add(now)
	}
	for _, c := range []struct {
		after time.Duration
		want  uint8
	}{{0, 255}, {forgiven - 1, 255}, {forgiven, 254}, {10 * forgiven, 245}, {10*forgiven + 1, 245}, {254 * forgiven, 1}, {255 * forgiven, 0}, {1000 * forgiven, 0}} {
		if got := s.at(now.Add(c.after)); got != c.want {
			t.Errorf("after %v it is %d, want %d", c.after, got, c.want)
		}
	}
	s.add(now.Add(1000 * forgiven))
	if s.at(now.Add(1001*forgiven-1)) != 1 {
		t.Error("forgiven too soon")
	}
}
