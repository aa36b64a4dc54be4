package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// namesCollector shows what the agent finds out of names: those of containers.
type namesCollector struct {
	source func() *model.NameStats

	containers, found, failed, forgotten metric
}

func newNamesCollector(source func() *model.NameStats) *namesCollector {
	return &namesCollector{
		source:     source,
		containers: gauge("containers", "Containers in which a process with a socket was seen, by whether their name is known: yes or no. 4096 are kept.", "named"),
		found:      counter("container_answers_total", "Names of containers that were found, by who told.", "source"),
		failed:     counter("container_failures_total", "Questions about a container that nobody answered. It is asked again three times, and then when another of its processes is seen.", "reason"),
		forgotten:  counter("containers_forgotten_total", "Containers that were forgotten to make room for others, first those that have ended."),
	}
}

func (c *namesCollector) name() string { return "names" }

func (c *namesCollector) metrics() []metric {
	return []metric{c.containers, c.found, c.failed, c.forgotten}
}

func (c *namesCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	s := stats.Containers
	c.containers.send(ch, float64(s.Known), "yes")
	c.containers.send(ch, float64(s.Unknown), "no")
	sendAll(ch, c.found, s.Found)
	sendAll(ch, c.failed, s.Failed)
	c.forgotten.send(ch, float64(s.Forgotten))
	return true
}
