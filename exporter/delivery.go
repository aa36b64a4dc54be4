package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// sentCollector shows an agent's way to its manager.
type sentCollector struct {
	source                func() model.SentStats
	protocol, bytes, wire metric
}

func newSentCollector(source func() model.SentStats) *sentCollector {
	return &sentCollector{
		source:   source,
		protocol: gauge("sent_protocol_version", "Version of the protocol that is spoken with the manager; 0 before it was reached."),
		bytes:    counter("sent_document_bytes_total", "Bytes of deliveries to the manager, as JSON."),
		wire:     counter("sent_wire_bytes_total", "The same, as they were sent: compressed where the manager takes that."),
	}
}

func (c *sentCollector) name() string { return "sent" }

func (c *sentCollector) metrics() []metric { return []metric{c.protocol, c.bytes, c.wire} }

func (c *sentCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	c.protocol.send(ch, float64(stats.Protocol))
	c.bytes.send(ch, float64(stats.Bytes))
	c.wire.send(ch, float64(stats.WireBytes))
	return true
}

// deliveryCollector shows what agents bring to a manager over HTTP.
type deliveryCollector struct {
	source             func() model.DeliveryStats
	underway, limit    metric
	batches, documents metric
	known, gaps        metric
	compared, differed metric
	bytes, wire        metric
	refused            metric
}

func newDeliveryCollector(source func() model.DeliveryStats) *deliveryCollector {
	return &deliveryCollector{
		source:    source,
		underway:  gauge("deliveries_underway", "Deliveries of agents that are being read or written."),
		limit:     gauge("deliveries_underway_limit", "How many may be; who comes beyond is put off with 429."),
		batches:   counter("deliveries_total", "Deliveries that are durable."),
		documents: counter("delivered_documents_total", "Documents in them that were new."),
		known:     counter("delivered_again_documents_total", "Documents in them that had come before, since the answer was lost on the way; they count once."),
		gaps:      counter("delivery_gaps_total", "Deliveries before which documents of the host are missing: its outbox was full, or this manager lost what it had."),
		compared:  counter("deliveries_compared_total", "Deliveries behind which this manager compared the documents that it has of the host with those of the agent: the first of each host since the start, behind a gap, and where the agent asks."),
		differed:  counter("deliveries_differing_total", "Comparisons that found a difference; the agent then sends what differs. Part of cassini_deliveries_compared_total."),
		bytes:     counter("delivery_document_bytes_total", "Bytes of deliveries, decompressed."),
		wire:      counter("delivery_wire_bytes_total", "The same, as they came."),
		refused:   counter("deliveries_refused_total", "Deliveries that were refused, by reason.", "reason"),
	}
}

func (c *deliveryCollector) name() string { return "deliveries" }

func (c *deliveryCollector) metrics() []metric {
	return []metric{c.underway, c.limit, c.batches, c.documents, c.known, c.gaps, c.compared, c.differed, c.bytes, c.wire, c.refused}
}

func (c *deliveryCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	c.underway.send(ch, float64(stats.Underway))
	c.limit.send(ch, float64(stats.Limit))
	c.batches.send(ch, float64(stats.Batches))
	c.documents.send(ch, float64(stats.Documents))
	c.known.send(ch, float64(stats.Known))
	c.gaps.send(ch, float64(stats.Gaps))
	c.compared.send(ch, float64(stats.Compared))
	c.differed.send(ch, float64(stats.Differed))
	c.bytes.send(ch, float64(stats.Bytes))
	c.wire.send(ch, float64(stats.WireBytes))
	sendKnown(ch, c.refused, stats.Refused, refusalReasons())
	return true
}

func refusalReasons() []value {
	return []value{
		{model.RefusedBusy, "Too many were under way, of all agents or of this one (429 with Retry-After). Nothing is lost: the agent comes again."},
		{model.RefusedTooLarge, "The body had more than 8 MiB or 10,000 documents."},
		{model.RefusedBomb, "The body was small and held more than 8 MiB once decompressed."},
		{model.RefusedMalformed, "The body was not what is wanted: not JSON, not whole zstd, of several hosts."},
		{model.RefusedInvalid, "A document in it was not valid."},
		{model.RefusedSlow, "The body did not come within 30 s."},
		{model.RefusedMachine, "Another machine has the name of the host that it was for (409): the agent's data directory was copied, see clones in operations.md."},
		{model.RefusedVersion, "The agent speaks a version of the protocol that this manager does not take (426): upgrade the one that the log names."},
	}
}
