package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// ringsCollector shows this host in its rings: who waits for heartbeats, what was
// suspected and said, and which datagrams came and went.
type ringsCollector struct {
	source                          func() *model.RingStats
	watch, pinging, incarnation     metric
	reflecting, reflected, limited  metric
	places, epoch, interval, limit  metric
	suspicions, refuted, doubted    metric
	stale, bridges, notices         metric
	verdicts                        metric
	sent, failed, received, control metric
	links                           linkMetrics
}

func newRingsCollector(source func() *model.RingStats, maxLinks int) *ringsCollector {
	return &ringsCollector{
		source:      source,
		watch:       gauge("heartbeat_watch_info", "Who waits for heartbeats here: the kernel, which wakes nobody while all is well, or the agent itself (user). Always 1.", "watch"),
		reflecting:  gauge("heartbeat_reflector_attached", "Whether the kernel answers for the agent: 1 or 0. It is asked for by --heartbeat-reflector."),
		reflected:   counter("heartbeat_reflected_total", "Questions that the kernel answered for the agent."),
		limited:     counter("heartbeat_reflections_limited_total", "Questions that it did not answer, since there were more than 64 a second."),
		pinging:     gauge("heartbeat_ping_available", "Whether ICMP echo requests can be sent: 1 or 0. Without them a hung agent looks like a dead host."),
		incarnation: gauge("heartbeat_incarnation", "The number of this agent's life. It only rises."),
		places:      gauge("ring_places", "Rings that this host is on."),
		epoch:       gauge("ring_place_epoch", "The epoch of this host's place in a ring. Behind cassini_ring_epoch of the manager while an instruction is on its way.", "ring"),
		interval:    gauge("heartbeat_interval_seconds", "Time between heartbeats in a ring, before jitter.", "ring"),
		limit:       gauge("heartbeat_silence_limit_seconds", "Silence in a ring that makes a neighbor suspect.", "ring"),
		suspicions:  counter("ring_suspicions_total", "Neighbors that were suspected since they fell silent."),
		refuted:     counter("ring_suspicions_refuted_total", "Suspicions that ended since the neighbor was heard."),
		doubted:     counter("ring_suspicions_doubted_total", "Suspicions that waited a window since this host doubted itself."),
		stale:       counter("ring_instructions_stale_total", "Instructions that were refused, for their epoch has passed."),
		bridges:     counter("ring_bridges_total", "Times that this host watched a successor in place of a dead neighbor, without the manager."),
		notices:     counter("ring_notices_total", "Times that others told this host that they suspect it."),
		verdicts:    counter("ring_verdicts_total", "Verdicts that this host reported, by kind.", "kind"),
		sent:        counter("heartbeat_datagrams_sent_total", "Datagrams of rings that were sent: heartbeats and others."),
		failed:      counter("heartbeat_datagrams_failed_total", "Datagrams of rings that could not be sent."),
		received:    counter("heartbeat_datagrams_received_total", "Datagrams that arrived, by what the watch did with them.", "outcome"),
		control:     counter("heartbeat_control_received_total", "Datagrams other than heartbeats, by what became of them in the agent.", "outcome"),
		links:       newLinkMetrics(maxLinks),
	}
}

func (c *ringsCollector) name() string { return "rings" }

func (c *ringsCollector) metrics() []metric {
	own := []metric{
		c.watch, c.pinging, c.reflecting, c.reflected, c.limited, c.incarnation, c.places, c.epoch, c.interval, c.limit, c.suspicions, c.refuted, c.doubted,
		c.stale, c.bridges, c.notices, c.verdicts, c.sent, c.failed, c.received, c.control,
	}
	return append(own, c.links.metrics()...)
}

func (c *ringsCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.watch.send(ch, 1, stats.Watch)
	c.pinging.send(ch, truth(stats.Pinging))
	c.reflecting.send(ch, truth(stats.Reflecting))
	c.reflected.send(ch, float64(stats.Reflected))
	c.limited.send(ch, float64(stats.Limited))
	c.incarnation.send(ch, float64(stats.Incarnation))
	c.sendPlaces(ch, stats.Rings)
	c.sendTotals(ch, stats.Totals)
	c.sent.send(ch, float64(stats.Sent))
	c.failed.send(ch, float64(stats.Failed))
	sendKnown(ch, c.received, stats.Received, watchOutcomes())
	sendKnown(ch, c.control, stats.Control, controlOutcomes())
	c.links.send(ch, stats.Links)
	return true
}

func (c *ringsCollector) sendPlaces(ch chan<- prometheus.Metric, list []model.RingPlace) {
	c.places.send(ch, float64(len(list)))
	there := make(map[string]bool)
	for _, p := range list {
		ring := valid(string(p.Ring))
		if there[ring] {
			continue // differs from another in what is not UTF-8
		}
		there[ring] = true
		c.epoch.send(ch, float64(p.Epoch), ring)
		c.interval.send(ch, p.Profile.Interval.Seconds(), ring)
		c.limit.send(ch, p.Profile.Silence.Seconds(), ring)
	}
}

func (c *ringsCollector) sendTotals(ch chan<- prometheus.Metric, t model.RingTotals) {
	c.suspicions.send(ch, float64(t.Suspicions))
	c.refuted.send(ch, float64(t.Refuted))
	c.doubted.send(ch, float64(t.Doubted))
	c.stale.send(ch, float64(t.Stale))
	c.bridges.send(ch, float64(t.Bridges))
	c.notices.send(ch, float64(t.Notices))
	sendKnown(ch, c.verdicts, t.Verdicts, verdictKinds())
}
