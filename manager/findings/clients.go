package findings

import (
	"fmt"
	"math"
	"time"

	"cassini/manager/incidents"
	"cassini/manager/moment"
	"cassini/model"
)

// Bounds of what counts as talking steadily.
const (
	steadyTalks = 6             // times that it was seen to talk anew
	steadySpan  = 6 * time.Hour // from the first to the last
	steadyGaps  = 6             // the span is at least so many of the longest silence
	minSilence  = 2 * time.Hour // and a silence below that is none
	longer      = 4             // than the longest silence so far
)

// Talk is how steadily a client talks, by its host's clock. The zero value has not seen
// it. There is one of each dependency, so that it is small: what decides is hours.
type Talk struct {
	last    moment.Moment
	first   uint32 // in seconds since 1970
	longest uint16 // silence, in minutes, the next greater one
	talks   uint8  // 0 before it was seen
	open    bool
}

// See takes a document of the dependency: when its newest connection moved, whether any
// is open, and when the counters were read.
func (t *Talk) See(moved moment.Moment, open bool, read time.Time) {
	last := moved
	if open {
		last = moment.Of(read)
	}
	if t.talks == 0 {
		t.first, t.last, t.talks, t.open = seconds(moved), last, 1, open
		return
	}
	if !last.After(t.last) {
		t.open = open
		return
	}
	if !t.open {
		t.longest = max(t.longest, minutes(last.Sub(t.last)))
	}
	t.last, t.open = last, open
	if t.talks < steadyTalks { // more than enough is not counted
		t.talks++
	}
}

// seconds are those since 1970 until a moment, as far as there is room for them: until 2106.
func seconds(m moment.Moment) uint32 {
	return uint32(min(max(m.Time().Unix(), 0), math.MaxUint32))
}

// minutes are those that a silence took at most.
func minutes(d time.Duration) uint16 {
	return uint16(min((max(d, 0)+time.Minute-1)/time.Minute, math.MaxUint16))
}

func (t *Talk) gap() time.Duration { return time.Duration(t.longest) * time.Minute }

// Steady says whether a silence would be news.
func (t *Talk) Steady() bool {
	span := t.last.Time().Sub(time.Unix(int64(t.first), 0))
	return span >= steadySpan && (t.talks >= steadyTalks || t.longest == 0) && span >= steadyGaps*t.gap()
}

// Silent says whether the client has stopped, as of a moment at which the counters of its
// host were read.
func (t *Talk) Silent(read time.Time) bool {
	return !t.open && t.Steady() && read.Sub(t.last.Time()) > max(minSilence, longer*t.gap())
}

// Last is when it last talked.
func (t *Talk) Last() time.Time { return t.last.Time() }

// Client is one end of a dependency, for people.
type Client struct {
	Pair            string // identifier of the edge
	Client, Server  string // nodes
	ClientHost      string
	ServerHost      string // "" where no agent knows it
	ClientName, For string // for people
}

// Stopped is told when a client that talked steadily is silent. Where its end or the
// other one is known to be gone, that tells why.
// It returns whether that was told, now or before.
func (w *Watch) Stopped(c Client, last, at time.Time) bool {
	what := fmt.Sprintf("%s has not talked to %s since %s; before, it did all the time", c.ClientName, c.For, clock(last))
	switch {
	case w.book.Known(model.IncidentDependency, c.Pair):
		return true
	case w.book.Known(model.IncidentServiceGone, c.Server):
		w.book.Add(model.IncidentServiceGone, c.Server, what)
		return true
	case c.ClientHost != "" && !w.up(c.ClientHost) || c.ServerHost != "" && !w.up(c.ServerHost):
		return false
	}
	w.find(incidents.Finding{
		Kind: model.IncidentDependency, Severity: model.SeverityWarning, Subject: c.Pair, Group: "dependency-vanished " + c.Server, Window: time.Hour, What: what,
		Action: "Look whether the client still does its work, and by what: 'cassini deps " + c.Client + "'. It is over when it talks again, or in a week.",
	}, at, Accepted)
	return true
}

// Talks is told when a client is seen to talk.
func (w *Watch) Talks(pair string, at time.Time) {
	if w.book.Known(model.IncidentDependency, pair) {
		w.over(model.IncidentDependency, pair, at)
	}
}
