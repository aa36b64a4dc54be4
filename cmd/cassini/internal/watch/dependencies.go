package watch

import (
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// Times after which things look different.
const (
	newFor   = 10 * time.Second // marked as new, or as ended
	quietFor = 10 * time.Second // without anything: fades
	oldFor   = 5 * time.Minute  // without anything: shows only on demand
)

// Columns of dependencies.
var dependencyColumns = []column{
	{title: "CLIENT", flex: true, tail: true}, {title: "SERVER", flex: true, tail: true}, {title: "ADDRESS", flex: true, drop: 1},
	{title: "CONN/S", right: true, order: mostFirst}, {title: "FAIL/S", right: true, order: mostFirst},
	{title: "SENT/S", right: true, order: mostFirst}, {title: "RECV/S", right: true, order: mostFirst},
	{title: "RTT", right: true, least: 7, order: mostFirst}, {title: "OPEN", right: true, least: 5, order: mostFirst},
	{title: "TOTAL", right: true, least: 9, order: mostFirst, drop: 3}, {title: "FAILED", right: true, least: 7, order: mostFirst, drop: 2},
}

// Columns that rates stand in.
const (
	connectionsColumn = 3
	failuresColumn    = 4
)

// dependency is one dependency over time.
type dependency struct {
	model.DependencyView
	meter
	appeared time.Time // when it was new; zero when it was there before
	gone     time.Time // when it was no longer told of; zero while it is
}

// takeDependencies brings dependencies up to a picture.
func (m *Model) takeDependencies(p Picture) {
	seen := make(map[string]bool, len(p.Dependencies))
	for _, v := range p.Dependencies {
		seen[v.ID] = true
		d := m.dependencies[v.ID]
		if d == nil {
			d = &dependency{appeared: firstSeen(m.began, p.At, v.FirstSeen)}
			m.dependencies[v.ID] = d
		}
		d.DependencyView, d.gone = v, time.Time{}
		d.take(countsOf(v), p.At, m.cfg.Interval*3/4)
	}
	for id, d := range m.dependencies {
		switch {
		case seen[id]:
		case d.gone.IsZero():
			d.gone, d.rates = p.At, Rates{}
		case p.At.Sub(d.gone) > newFor:
			delete(m.dependencies, id)
		}
	}
}

// firstSeen is when something appeared: now, or, in the first picture, when the manager
// says; the zero time if that is long ago.
func firstSeen(began bool, now, told time.Time) time.Time {
	switch {
	case began:
		return now
	case now.Sub(told) < newFor:
		return told
	}
	return time.Time{}
}

// idle is for how long nothing happened.
func (d *dependency) idle(now time.Time) time.Duration {
	if d.Open > 0 && d.gone.IsZero() {
		return 0
	}
	at := d.LastSeen
	if d.moved.After(at) {
		at = d.moved
	}
	return now.Sub(at)
}

func (d *dependency) row(now time.Time) row {
	r := row{id: d.ID, weight: -d.idle(now).Seconds(), faded: d.idle(now) > quietFor, old: d.idle(now) > oldFor, also: d.Client.Exe + " " + d.Server.Exe}
	switch {
	case !d.gone.IsZero():
		r.mark, r.faded, r.old = markEnded, true, false
	case within(d.appeared, now):
		r.mark = markNew
	}
	failing := output.Plain
	if d.rates.Failures > 0 {
		failing = output.Red
	}
	known := d.rates.Known
	r.cells = []cell{
		{text: view.Short(d.Client.ID)}, {text: view.Short(d.Server.ID)}, {text: view.ServerEndpoint(d.DependencyView)},
		{text: rate(known, d.rates.Connections, number), n: d.rates.Connections},
		{text: rate(known, d.rates.Failures, number), n: d.rates.Failures, style: failing},
		{text: rate(known, d.rates.ToServer, size), n: d.rates.ToServer},
		{text: rate(known, d.rates.FromServer, size), n: d.rates.FromServer},
		{text: output.Micros(d.RTTMicros), n: float64(d.RTTMicros)}, count(d.Open), count(d.Connections), count(d.Failed),
	}
	r.clean()
	return r
}

// within says whether something is still new.
func within(at, now time.Time) bool { return !at.IsZero() && now.Sub(at) < newFor }

func count(n uint64) cell { return cell{text: output.Count(n), n: float64(n)} }
