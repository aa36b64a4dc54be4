package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector turns the figures of one source into metrics.
type collector interface {
	// name stands in the metrics about the collector itself.
	name() string
	// metrics lists all that collect can send.
	metrics() []metric
	// collect asks the source and sends what it says; false when the source had
	// no answer.
	collect(ch chan<- prometheus.Metric) bool
}

// scrape runs the collectors, one after the other, and tells how each fared.
type scrape struct {
	collectors        []collector
	duration, success metric
}

func newScrape(list []collector) *scrape {
	return &scrape{
		collectors: list,
		duration:   gauge("collector_duration_seconds", "How long the collector took for this scrape.", "collector"),
		success:    gauge("collector_success", "Whether the collector's source answered: 1 or 0. With 0 its metrics are absent.", "collector"),
	}
}

// metrics lists all that a scrape can show, in the order of the collectors.
func (s *scrape) metrics() []metric {
	var all []metric
	for _, c := range s.collectors {
		all = append(all, c.metrics()...)
	}
	return append(all, s.duration, s.success)
}

// Describe implements prometheus.Collector.
func (s *scrape) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range s.metrics() {
		ch <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (s *scrape) Collect(ch chan<- prometheus.Metric) {
	for _, c := range s.collectors {
		begin := time.Now()
		ok := c.collect(ch)
		s.duration.send(ch, time.Since(begin).Seconds(), c.name())
		s.success.send(ch, truth(ok), c.name())
	}
}
