package exporter

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// DefaultMaxLinks is how many links of a host a scrape shows. A host has two in each
// of its rings, which are few.
const DefaultMaxLinks = 32

// linkMetrics show the neighbors of this host as they are heard.
type linkMetrics struct {
	max                  int
	count, hidden        metric
	heartbeats, expiries metric
	renewed, silence     metric
	spacing, lateness    doublings
	roundTrip            doublings
}

func newLinkMetrics(limit int) linkMetrics {
	ends := []string{"ring", "from"}
	return linkMetrics{
		max:        limit,
		count:      gauge("heartbeat_links", "Neighbors whose heartbeats are waited for, each ring for itself."),
		hidden:     gauge("heartbeat_links_hidden", "Links beyond the limit of a scrape, which is 32: they are counted here and not shown."),
		heartbeats: counter("heartbeats_total", "Heartbeats that came from a neighbor.", ends...),
		expiries:   counter("heartbeat_expiries_total", "Times that a neighbor was silent for too long.", ends...),
		renewed:    counter("heartbeat_windows_renewed_total", "Times that a neighbor was given more time since this host had stood still.", ends...),
		silence:    gauge("heartbeat_silence_seconds", "Time since a neighbor's latest heartbeat. 0 before the first.", ends...),
		spacing: newDoublings("heartbeat_spacing_seconds",
			"Times between the arrivals of a neighbor's heartbeats. The sum is an estimate.", 0.001, ends...),
		lateness: newDoublings("heartbeat_lateness_seconds",
			"By how much these were longer than the interval; jitter, up to a quarter of the interval, is part of it. The sum is an estimate.", 0.000064, ends...),
		roundTrip: newDoublings("heartbeat_round_trip_seconds",
			"How long a datagram to the next member and its answer took, about once a minute; the time in both agents is part of it. The sum is an estimate.", 0.000064, ends...),
	}
}

func (m linkMetrics) metrics() []metric {
	return []metric{m.count, m.hidden, m.heartbeats, m.expiries, m.renewed, m.silence, m.spacing.metric, m.lateness.metric, m.roundTrip.metric}
}

func (m linkMetrics) send(ch chan<- prometheus.Metric, links []model.RingLink) {
	links = mergeLinks(links)
	shown := links[:min(len(links), m.max)]
	m.count.send(ch, float64(len(links)))
	m.hidden.send(ch, float64(len(links)-len(shown)))
	for _, l := range shown {
		m.sendLink(ch, l, string(l.Ring), l.From)
	}
}

func (m linkMetrics) sendLink(ch chan<- prometheus.Metric, l model.RingLink, ends ...string) {
	m.heartbeats.send(ch, float64(l.Heartbeats), ends...)
	m.expiries.send(ch, float64(l.Expiries), ends...)
	m.renewed.send(ch, float64(l.Late), ends...)
	m.silence.send(ch, l.Silent.Seconds(), ends...)
	m.spacing.send(ch, m.spacing.distribution(l.Spacing), ends...)
	m.lateness.send(ch, m.lateness.distribution(l.Lateness), ends...)
	m.roundTrip.send(ch, m.roundTrip.distribution(l.RoundTrip), ends...)
}

// mergeLinks orders links by ring and neighbor, and makes one of those that have the
// same labels as Prometheus sees them.
func mergeLinks(links []model.RingLink) []model.RingLink {
	sorted := make([]model.RingLink, 0, len(links))
	for _, l := range links {
		l.Ring, l.From = model.RingID(valid(string(l.Ring))), valid(l.From)
		sorted = append(sorted, l)
	}
	slices.SortStableFunc(sorted, func(a, b model.RingLink) int { return cmp.Or(cmp.Compare(a.Ring, b.Ring), cmp.Compare(a.From, b.From)) })
	var merged []model.RingLink
	for _, l := range sorted {
		if n := len(merged); n > 0 && merged[n-1].Ring == l.Ring && merged[n-1].From == l.From {
			merged[n-1] = addLink(merged[n-1], l)
			continue
		}
		merged = append(merged, l)
	}
	return merged
}

func addLink(a, b model.RingLink) model.RingLink {
	a.Heartbeats += b.Heartbeats
	a.Expiries += b.Expiries
	a.Late += b.Late
	a.Silent = heardLast(a.Silent, b.Silent)
	a.RoundTrip = addCounts(a.RoundTrip, b.RoundTrip)
	a.Spacing, a.Lateness = addCounts(a.Spacing, b.Spacing), addCounts(a.Lateness, b.Lateness)
	return a
}

// heardLast is the shorter silence; 0 says that nothing was heard yet.
func heardLast(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

func addCounts(a, b []uint64) []uint64 {
	sum := make([]uint64, max(len(a), len(b)))
	copy(sum, a)
	for i, n := range b {
		sum[i] += n
	}
	return sum
}
