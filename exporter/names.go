package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// namesCollector shows what the agent finds out of names: those of containers, and those
// that addresses were asked for by.
type namesCollector struct {
	source func() *model.NameStats

	containers, found, failed, forgotten metric

	servers, refused, answers, malformed, lost, addresses, unremembered metric
}

func newNamesCollector(source func() *model.NameStats) *namesCollector {
	return &namesCollector{
		source:     source,
		containers: gauge("containers", "Containers in which a process with a socket was seen, by whether their name is known: yes or no. 4096 are kept.", "named"),
		found:      counter("container_answers_total", "Names of containers that were found, by who told.", "source"),
		failed:     counter("container_failures_total", "Questions about a container that nobody answered. It is asked again three times, and then when another of its processes is seen.", "reason"),

		servers:      gauge("dns_servers", "Name servers whose answers are listened to, one for each network namespace that uses it."),
		refused:      counter("dns_servers_refused_total", "Name servers that are not listened to: beyond 16 of a network namespace, or 1024."),
		answers:      counter("dns_answers_total", "Answers of name servers that were read."),
		malformed:    counter("dns_answers_malformed_total", "Answers among them that could not be decoded, or that no honest server sends."),
		lost:         counter("dns_answers_lost_total", "Answers that found no room in a socket's buffer: more than 256 a second of one name server."),
		addresses:    gauge("dns_addresses", "Addresses whose names are remembered, 8192 of each, by kind.", "kind"),
		unremembered: counter("dns_addresses_forgotten_total", "Addresses that were forgotten to make room for others, the longest not used first.", "kind"),

		forgotten: counter("containers_forgotten_total", "Containers that were forgotten to make room for others, first those that have ended."),
	}
}

func (c *namesCollector) name() string { return "names" }

func (c *namesCollector) metrics() []metric {
	return []metric{
		c.containers, c.found, c.failed, c.forgotten,
		c.servers, c.refused, c.answers, c.malformed, c.lost, c.addresses, c.unremembered,
	}
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
	c.collectDNS(ch, stats.DNS)
	return true
}

func (c *namesCollector) collectDNS(ch chan<- prometheus.Metric, s model.DNSStats) {
	c.servers.send(ch, float64(s.Resolvers))
	c.refused.send(ch, float64(s.Refused))
	c.answers.send(ch, float64(s.Answers))
	c.malformed.send(ch, float64(s.Malformed))
	c.lost.send(ch, float64(s.Lost))
	c.addresses.send(ch, float64(s.Heard), "heard")
	c.addresses.send(ch, float64(s.Named), "named")
	sendAll(ch, c.unremembered, s.Forgotten)
}
