package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// outboxCollector shows the documents on their way to the manager.
type outboxCollector struct {
	source                 func() *model.OutboxStats
	queued, limit, spooled metric
	accepted, retries      metric
	putOff, renumbered     metric
	dropped, connected     metric
}

func newOutboxCollector(source func() *model.OutboxStats) *outboxCollector {
	return &outboxCollector{
		source:     source,
		queued:     gauge("outbox_documents", "Documents that wait for the manager, in memory and on disk."),
		limit:      gauge("outbox_documents_limit", "Documents that the outbox can hold."),
		spooled:    gauge("outbox_spooled_documents", "Documents that wait on disk; part of cassini_outbox_documents."),
		accepted:   counter("outbox_accepted_total", "Documents that the manager made durable."),
		retries:    counter("outbox_retries_total", "Deliveries that failed and were tried again."),
		putOff:     counter("outbox_put_off_total", "Deliveries that the manager asked to come later; part of cassini_outbox_retries_total."),
		renumbered: counter("outbox_renumbered_total", "How often waiting documents were numbered anew, since the manager had documents of this host under the numbers to come: a machine that was put back to an earlier state, or two machines of one name."),
		dropped:    counter("outbox_dropped_total", "Documents that never reached the manager, by reason: the outbox was full, the manager refused them, they are of an earlier name of this host, or the disk damaged them.", "reason"),
		connected:  gauge("outbox_connected", "Whether the last delivery to the manager succeeded: 1 or 0."),
	}
}

func (c *outboxCollector) name() string { return "outbox" }

func (c *outboxCollector) metrics() []metric {
	return []metric{c.queued, c.limit, c.spooled, c.accepted, c.retries, c.putOff, c.renumbered, c.dropped, c.connected}
}

func (c *outboxCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.queued.send(ch, float64(stats.Queued))
	c.limit.send(ch, float64(stats.Limit))
	c.spooled.send(ch, float64(stats.Spooled))
	c.accepted.send(ch, float64(stats.Accepted))
	c.retries.send(ch, float64(stats.Retries))
	c.putOff.send(ch, float64(stats.PutOff))
	c.renumbered.send(ch, float64(stats.Renumbered))
	sendKnown(ch, c.dropped, stats.Dropped, outboxReasons())
	c.connected.send(ch, truth(stats.Connected))
	return true
}
