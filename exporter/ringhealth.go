package exporter

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// DefaultMaxRings is how many rings a scrape shows one by one. Each takes seven series.
const DefaultMaxRings = 500

// ringMetrics show rings: how many there are in which state, and at most so many of
// them one by one, those that are not whole first.
type ringMetrics struct {
	max                    int
	count, hidden          metric
	state, members, epoch  metric
	unwell, unacknowledged metric
}

func newRingMetrics(limit int) ringMetrics {
	return ringMetrics{
		max:            limit,
		count:          gauge("rings", "Rings, by state.", "state"),
		hidden:         gauge("rings_hidden", "Rings beyond the limit of a scrape, which is 500: they are counted in cassini_rings and not shown one by one. Those that are not whole are shown first."),
		state:          gauge("ring_state", "Whether a ring is in a state: 1 or 0.", "ring", "state"),
		members:        gauge("ring_members", "Members of a ring. Level 0 holds hosts of one switch or subnet, level 1 their representatives, and so on.", "ring", "level"),
		epoch:          gauge("ring_epoch", "The epoch of a ring's plan.", "ring"),
		unwell:         gauge("ring_members_unwell", "Members of a ring that are not up.", "ring"),
		unacknowledged: gauge("ring_members_unacknowledged", "Members of a ring that have yet to say that they know their place.", "ring"),
	}
}

func (m ringMetrics) metrics() []metric {
	return []metric{m.count, m.hidden, m.state, m.members, m.epoch, m.unwell, m.unacknowledged}
}

func (m ringMetrics) send(ch chan<- prometheus.Metric, rings []model.RingHealth) {
	states := zeros(ringStates())
	for _, r := range rings {
		states[valid(r.State)]++
	}
	sendAll(ch, m.count, states)
	shown := worst(rings, m.max)
	m.hidden.send(ch, float64(len(rings)-len(shown)))
	for _, r := range shown {
		m.sendRing(ch, r)
	}
}

func (m ringMetrics) sendRing(ch chan<- prometheus.Metric, r model.RingHealth) {
	id := string(r.ID)
	for _, s := range ringStates() {
		m.state.send(ch, truth(r.State == s.value), id, s.value)
	}
	m.members.send(ch, float64(len(r.Members)), id, strconv.Itoa(r.Level))
	m.epoch.send(ch, float64(r.Epoch), id)
	m.unwell.send(ch, float64(len(r.Unwell)), id)
	m.unacknowledged.send(ch, float64(len(r.Unacknowledged)), id)
}

// worst keeps n rings: torn ones, then those being mended, then by name. Of those that
// Prometheus could not tell from each other it keeps one.
func worst(rings []model.RingHealth, n int) []model.RingHealth {
	states := ringStates()
	rank := func(r model.RingHealth) int {
		return -slices.IndexFunc(states, func(s value) bool { return s.value == r.State })
	}
	sorted := slices.Clone(rings)
	for i := range sorted {
		sorted[i].ID = model.RingID(valid(string(sorted[i].ID)))
	}
	slices.SortStableFunc(sorted, func(a, b model.RingHealth) int { return cmp.Compare(a.ID, b.ID) })
	sorted = slices.CompactFunc(sorted, func(a, b model.RingHealth) bool { return a.ID == b.ID })
	slices.SortStableFunc(sorted, func(a, b model.RingHealth) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted[:min(len(sorted), n)]
}
