package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// comparedCollector shows how an agent's documents compare with what the manager has.
type comparedCollector struct {
	source                 func() *model.OutboxStats
	compared, differed     metric
	again, unkept          metric
	things, thingsLimit    metric
	kept, keptLimit, ready metric
}

func newComparedCollector(source func() *model.OutboxStats) *comparedCollector {
	return &comparedCollector{
		source:      source,
		compared:    counter("outbox_comparisons_total", "How often the manager compared this host's documents with what the agent has."),
		differed:    counter("outbox_comparisons_differing_total", "Comparisons that found a difference: something was lost on either side. Part of cassini_outbox_comparisons_total."),
		again:       counter("outbox_told_again_total", "Documents that were sent since a comparison found that the manager has something else, by what it had.", "had"),
		unkept:      counter("outbox_unkept_total", "Documents that a comparison found to be missing and that could not be sent again, being beyond cassini_outbox_kept_bytes_limit. They come when they change, or when the agent is started again."),
		things:      gauge("outbox_known_documents", "Documents of this host as the manager should have them, those that are on their way included."),
		thingsLimit: gauge("outbox_known_documents_limit", "How many can be known; beyond it nothing is compared until the agent is started again."),
		kept:        gauge("outbox_kept_bytes", "Bytes of these documents that are kept in memory, to be sent again where the manager lost them."),
		keptLimit:   gauge("outbox_kept_bytes_limit", "How many can be kept; beyond it only hashes are."),
		ready:       gauge("outbox_comparable", "Whether documents are compared with the manager's: 0 before the manager was asked what it remembers, and beyond cassini_outbox_known_documents_limit."),
	}
}

func (c *comparedCollector) name() string { return "compared" }

func (c *comparedCollector) metrics() []metric {
	return []metric{c.compared, c.differed, c.again, c.unkept, c.things, c.thingsLimit, c.kept, c.keptLimit, c.ready}
}

func (c *comparedCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	s := stats.Compared
	c.compared.send(ch, float64(s.Compared))
	c.differed.send(ch, float64(s.Differed))
	sendKnown(ch, c.again, map[string]uint64{"nothing": s.Missing, "another": s.Changed, "withdrawn": s.Withdrawn}, againReasons())
	c.unkept.send(ch, float64(s.Unkept))
	c.things.send(ch, float64(s.Known))
	c.thingsLimit.send(ch, float64(s.KnownLimit))
	c.kept.send(ch, float64(s.Kept))
	c.keptLimit.send(ch, float64(s.KeptLimit))
	c.ready.send(ch, truth(s.Comparable))
	return true
}

func againReasons() []value {
	return []value{
		{"nothing", "The manager had no document of the thing."},
		{"another", "It had an earlier one."},
		{"withdrawn", "It had one of a thing that is no more, and is told so."},
	}
}
