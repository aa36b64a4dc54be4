// Package speakers knows which machine speaks under each name. Machines that were cloned
// whole, the agent's data directory too, show one certificate and one name: who speaks is told
// by a mark with each request, and who cannot be told by that says what machine it is. It is
// pure: values and times in, an answer out.
package speakers

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"cassini/model/claim"
)

// Answer says whether a machine is the one that has a name.
type Answer int

// Answers.
const (
	Itself  Answer = iota // it speaks for the name
	Unknown               // it has to say what machine it is
	Later                 // it is not settled yet: it has to come again
	Another               // another machine has the name
)

// Settle is how long a machine that may be the one that has the name is put off while that
// one is up: longer than it takes to find out that a machine went down.
const Settle = 15 * time.Second

// maxHosts bounds the names of which it is known who speaks: beyond, who speaks is taken at its
// word.
const maxHosts = 200_000

// maxOthers bounds the machines that are remembered to be others, of each name.
const maxOthers = 16

// Speakers is safe for concurrent use. The zero value is ready.
type Speakers struct {
	mu     sync.Mutex
	seed   maphash.Seed
	byHost map[string]*speaker
}

// mark stands for a boot of a machine.
type mark uint64

// speaker is who speaks under one name.
type speaker struct {
	now   mark
	heard bool   // it was heard itself, and is not only known of
	doubt *doubt // nil: there never was any
}

// doubt is what is known of others that came by the name.
type doubt struct {
	rival  mark      // may be the next boot of the machine, or another machine
	since  time.Time // when it first came
	before mark      // had the name until another came of whom nothing told that it is another
	others []mark    // known to be other machines
}

func (s *Speakers) mark(text string) mark {
	if s.byHost == nil {
		s.seed, s.byHost = maphash.MakeSeed(), make(map[string]*speaker)
	}
	return mark(maphash.String(s.seed, text))
}

// of is who speaks under a name: known is the mark of the machine that had it before anything
// was heard, "" where that is not known. It is nil beyond the bound. The lock is held.
func (s *Speakers) of(host string, known func() string) *speaker {
	h := s.byHost[host]
	if h == nil && len(s.byHost) < maxHosts {
		h = &speaker{}
		if before := known(); before != "" {
			h.now = s.mark(before)
		}
		s.byHost[host] = h
	}
	return h
}

// Hear says whether who makes a request with a mark speaks for a name; known is as of has it.
// Where nothing is known and nobody came before, it does.
func (s *Speakers) Hear(host, text string, known func() string, now time.Time) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.mark(text)
	h := s.of(host, known)
	if h == nil {
		return Itself
	}
	if h.now == 0 && h.doubt == nil {
		h.now = who
	}
	switch d := h.doubt; {
	case who == h.now:
		h.speaks(now)
		return Itself
	case d != nil && slices.Contains(d.others, who):
		return Another
	}
	return Unknown
}

// speaks notes that who has the name is heard: who came by it before is another machine.
func (h *speaker) speaks(now time.Time) {
	h.heard = true
	if d := h.doubt; d != nil && d.rival != 0 && now.After(d.since) {
		d.other(d.rival)
	}
}

func (d *doubt) other(who mark) {
	if d.rival == who {
		d.rival = 0
	}
	if !slices.Contains(d.others, who) {
		d.others = append(d.others[max(0, len(d.others)-maxOthers+1):], who)
	}
}

// Introduce says whether who says what machine it is has a name: is what that is to the
// machine that has it, and up says whether its neighbors hear that one at this moment: heard says
// of it that it has spoken, and not only stands in the log, as which the one that asks may be on
// rings. known is as of has it.
func (s *Speakers) Introduce(host, text string, is claim.Claim, known func() string, up func(heard bool) bool, now time.Time) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	who := s.mark(text)
	h := s.of(host, known)
	if h == nil {
		return Itself
	}
	if h.now == who {
		h.speaks(now)
		return Itself
	}
	if h.doubt == nil {
		h.doubt = &doubt{}
	}
	switch {
	case is == claim.Another:
		h.doubt.other(who)
		return Another
	case h.doubt.before == who: // it was there first, and did not go away: the one that came is another
		h.doubt.other(h.now)
		h.takes(who, false)
		return Itself
	case is == claim.Itself:
		h.takes(who, false)
		return Itself
	case slices.Contains(h.doubt.others, who):
		return Another
	}
	return h.compete(who, up(h.heard), now)
}

// compete says what a machine is of which only that tells, whether the one that has the name
// is up.
func (h *speaker) compete(who mark, up bool, now time.Time) Answer {
	d := h.doubt
	switch {
	case h.now == 0 || !up:
		h.takes(who, true)
		return Itself
	case d.rival != who:
		d.rival, d.since = who, now
		return Later
	case now.Sub(d.since) < Settle:
		return Later
	}
	d.other(who)
	return Another
}

// takes gives the name to a machine; perhaps says that the one before may come back.
func (h *speaker) takes(who mark, perhaps bool) {
	d := h.doubt
	d.rival, d.before = 0, 0
	if perhaps {
		d.before = h.now
	}
	d.others = slices.DeleteFunc(d.others, func(m mark) bool { return m == who })
	h.now, h.heard = who, true
}

// Other says whether a machine with a mark is known to be another than the one that has a name.
func (s *Speakers) Other(host, text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	who, h := s.mark(text), s.byHost[host]
	return h != nil && h.doubt != nil && slices.Contains(h.doubt.others, who)
}

// Forget forgets who speaks under a name.
func (s *Speakers) Forget(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byHost, host)
}
