package member

import (
	"time"

	"cassini/model"
)

// untrusted is the score from which on an observer's silence is no evidence.
const untrusted = 16

// Decide is the verdict on a neighbor that did not answer, given what was seen of it,
// the reporter's own sight first. It is a death only if two observers saw no life,
// neither of whom doubts itself or accuses too often.
func Decide(e model.Evidence) model.VerdictKind {
	var agent, refused, kernel, left, dead int
	for _, o := range e.Observations {
		switch o.Sight {
		case model.SightAgent:
			agent++
		case model.SightRefused:
			refused++
			dead++
		case model.SightKernel:
			kernel++
		case model.SightLeft:
			left++
		case model.SightNothing:
			if o.Score < untrusted {
				dead++
			}
		}
	}
	switch {
	case agent > 0:
		return model.VerdictLink
	case left > 0:
		return model.VerdictStopped
	case refused > 0 && dead >= 2:
		return model.VerdictEnded
	case refused > 0 || kernel > 0:
		return model.VerdictHung
	case dead >= 2:
		return model.VerdictCrashed
	}
	return model.VerdictUnobservable
}

// score counts wrong suspicions; one is forgiven every half minute.
type score struct {
	points int
	since  time.Time
}

const forgiven = 30 * time.Second

func (s *score) settle(now time.Time) {
	if s.points == 0 || s.since.IsZero() {
		s.since = now
		return
	}
	n := int(now.Sub(s.since) / forgiven)
	s.points = max(0, s.points-n)
	s.since = s.since.Add(time.Duration(n) * forgiven)
}

func (s *score) add(now time.Time) {
	s.settle(now)
	s.points = min(s.points+1, 255)
}

func (s *score) at(now time.Time) uint8 {
	s.settle(now)
	return uint8(s.points)
}
