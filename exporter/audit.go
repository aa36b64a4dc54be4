package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// auditCollector shows how much stands in the audit log.
type auditCollector struct {
	source                          func() *model.AuditStats
	entries, oldest                 metric
	added, dropped, failedToBeAdded metric
}

func newAuditCollector(source func() *model.AuditStats) *auditCollector {
	return &auditCollector{
		source:          source,
		entries:         gauge("audit_entries", "Entries in the audit log: who changed what."),
		oldest:          gauge("audit_oldest_timestamp_seconds", "Time of the oldest entry. Absent while there is none."),
		added:           counter("audit_entries_added_total", "Entries that were added, by result.", "result"),
		dropped:         counter("audit_refusals_dropped_total", "Refusals that were too many at once to be kept."),
		failedToBeAdded: counter("audit_entries_failed_total", "Entries that could not be written: what they tell was done all the same, and stands in the manager's log."),
	}
}

func (c *auditCollector) name() string { return "audit" }

func (c *auditCollector) metrics() []metric {
	return []metric{c.entries, c.oldest, c.added, c.dropped, c.failedToBeAdded}
}

func (c *auditCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.entries.send(ch, float64(stats.Entries))
	c.oldest.sendTime(ch, stats.Oldest)
	sendKnown(ch, c.added, stats.Added, auditResults())
	c.dropped.send(ch, float64(stats.Dropped))
	c.failedToBeAdded.send(ch, float64(stats.Failed))
	return true
}

func auditResults() []value {
	return []value{
		{"done", "It was done."},
		{"refused", "The asker may not, or asked for nonsense."},
		{"failed", "The manager could not."},
	}
}
