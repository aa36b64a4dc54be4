package watch

import (
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/view"
	"cassini/model"
)

// endedFor is how long a service that ended shows.
const endedFor = time.Minute

var serviceColumns = []column{
	{title: "SERVICE", flex: true, tail: true}, {title: "ADDRESS", flex: true, drop: 2},
	{title: "CLIENTS", right: true, order: mostFirst}, {title: "CONN/S", right: true, order: mostFirst}, {title: "FAIL/S", right: true, order: mostFirst, drop: 3},
	{title: "OPEN", right: true, least: 5, order: mostFirst}, {title: "PID", right: true, least: 7, order: leastFirst, drop: 4}, {title: "USER", drop: 5},
	{title: "STATE", least: 9, drop: 6}, {title: "SINCE", least: 8, order: leastFirst}, {title: "COMMAND", flex: true},
}

// service is one service over time.
type service struct {
	model.Service
	appeared, ended time.Time // by this machine's clock; zero when long ago, or not yet
	missing         bool      // no longer told of
}

// load is what clients do with a service.
type load struct {
	clients int
	open    uint64
	rates   Rates
}

// takeServices brings services up to a picture.
func (m *Model) takeServices(p Picture) {
	seen := make(map[string]bool, len(p.Services))
	for _, v := range p.Services {
		seen[v.ID] = true
		s := m.services[v.ID]
		switch {
		case s == nil:
			s = &service{appeared: firstSeen(m.began, p.At, since(v))}
			m.services[v.ID] = s
			if v.State == model.StateEnded && v.Ended != nil {
				s.ended = *v.Ended
			}
		case v.State == model.StateEnded && s.State != model.StateEnded:
			s.ended = p.At
		case v.State != model.StateEnded && s.State == model.StateEnded:
			s.appeared, s.ended = p.At, time.Time{}
		}
		s.Service, s.missing = v, false
	}
	for id, s := range m.services {
		switch {
		case seen[id]:
		case !s.missing:
			s.missing = true
			if s.ended.IsZero() {
				s.ended = p.At
			}
		case p.At.Sub(s.ended) > newFor:
			delete(m.services, id)
		}
	}
}

// since is when a service began, the zero time when it is older than its agent.
func since(s model.Service) time.Time {
	if s.SinceApprox {
		return time.Time{}
	}
	return s.Since
}

// loads sums up dependencies by their service.
func (m *Model) loads() map[string]load {
	loads := make(map[string]load, len(m.services))
	for _, d := range m.dependencies {
		if !d.gone.IsZero() {
			continue
		}
		l := loads[d.Server.ID]
		l.clients++
		l.open += d.Open
		l.rates.Known = l.rates.Known || d.rates.Known
		l.rates.Connections += d.rates.Connections
		l.rates.Failures += d.rates.Failures
		loads[d.Server.ID] = l
	}
	return loads
}

func (s *service) row(now time.Time, l load) row {
	over := s.missing || s.State == model.StateEnded
	r := row{id: s.ID, faded: over, weight: float64(s.Since.Unix()), also: s.Exe + " " + s.Cwd}
	r.old = over && now.Sub(s.ended) > endedFor
	switch {
	case over && within(s.ended, now):
		r.mark = markEnded
	case !over && within(s.appeared, now):
		r.mark = markNew
	}
	state := cell{text: s.State, style: output.Green}
	if over {
		state.style = output.Plain
	}
	r.cells = []cell{
		{text: view.Short(s.ID)}, {text: view.ListensOn(s.Service)}, count(uint64(l.clients)),
		{text: rate(l.rates.Known, l.rates.Connections, number), n: l.rates.Connections}, {text: rate(l.rates.Known, l.rates.Failures, number), n: l.rates.Failures},
		count(l.open), {text: view.PID(s.PID), n: float64(s.PID)}, {text: s.UID}, state, s.sinceCell(now), {text: output.Command(s.Cmdline)},
	}
	r.clean()
	return r
}

// sinceCell tells when it began or ended; "~" marks what is older than the agent.
func (s *service) sinceCell(now time.Time) cell {
	at, approx := s.Since, ""
	switch {
	case s.State == model.StateEnded && s.Ended != nil:
		at = *s.Ended
	case s.SinceApprox:
		approx = "~"
	}
	return cell{text: approx + output.Ago(at, now), n: now.Sub(at).Seconds()}
}
