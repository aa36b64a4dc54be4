package heartbeat

import (
	"slices"

	"cassini/agent/heartbeat/watch"
	"cassini/model"
	"cassini/model/wire"
)

// figures are what the loop knows, for those who ask.
type figures struct {
	rings  []model.RingPlace
	totals model.RingTotals
	trips  map[watched][]uint64
}

// publish copies what the loop knows for those who ask.
func (h *Heartbeat) publish() {
	s := h.member.Stats()
	totals := model.RingTotals{
		Suspicions: s.Suspicions, Refuted: s.Refuted, Doubted: s.Doubted, Stale: s.Stale, Bridges: s.Bridges, Notices: s.Notices, Verdicts: s.Verdicts,
	}
	var places []model.RingPlace
	trips := make(map[watched][]uint64)
	for _, a := range h.member.Assignments() {
		places = append(places, model.RingPlace{Ring: a.Ring, Epoch: a.Epoch, Profile: a.Profile})
		for host, counts := range h.member.RoundTrips(a.Ring) {
			trips[watched{a.Ring, host}] = slices.Clone(counts)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats = figures{places, totals, trips}
}

// Stats reads the figures.
func (h *Heartbeat) Stats() *model.RingStats {
	h.mu.Lock()
	answer := &model.RingStats{
		Watch: h.watch.Name(), Incarnation: h.self.Incarnation, Addr: h.self.Addr, Rings: h.stats.rings, Totals: h.stats.totals,
	}
	links := make(map[wire.Set]watched, len(h.watched))
	for id, w := range h.watched {
		links[id] = w
	}
	trips := h.stats.trips
	h.mu.Unlock()
	if h.why != nil {
		answer.Why = h.why.Error()
	}
	for id, w := range links {
		if s, err := h.watch.Stats(id); err == nil {
			answer.Links = append(answer.Links, link(w, s, trips[w]))
		}
	}
	e := h.endpoint.Stats()
	answer.Sent, answer.Failed, answer.Pinging = e.Sent, e.Failed, e.Pinging
	answer.Reflecting = h.mirror.attached()
	answer.Reflected, answer.Limited = h.mirror.counters()
	answer.Received, _ = h.watch.Counters() // none once the watch is closed
	answer.Control = e.Received
	return answer
}

func link(w watched, s watch.Stats, trips []uint64) model.RingLink {
	return model.RingLink{
		Ring: w.ring, From: w.from, Heartbeats: s.Heartbeats, Expiries: s.Expiries, Late: s.Late, Silent: s.Silent,
		Spacing: s.Spacing[:], Lateness: s.Lateness[:], RoundTrip: trips,
	}
}
