package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// dependenciesCollector shows the busiest dependencies, at most limit.
type dependenciesCollector struct {
	source                func() []model.DependencyView
	limit                 int
	connections, failures metric
	open, bytes           metric
	datagrams             metric
	dropped               metric
}

func newDependenciesCollector(source func() []model.DependencyView, limit int) *dependenciesCollector {
	ends := func(more ...string) []string { return append([]string{"client", "server", "proto"}, more...) }
	return &dependenciesCollector{
		source:      source,
		limit:       limit,
		connections: counter("dependency_connections_total", "Connections from a client to a service.", ends()...),
		failures:    counter("dependency_failures_total", "Attempts to connect that did not get through, by reason.", ends("reason")...),
		open:        gauge("dependency_open_connections", "Connections that are open now.", ends()...),
		bytes:       counter("dependency_bytes_total", "Payload, by direction as the end that reported it saw them: the client's where its host has an agent, else the server's. Absent where none is counted: of UDP and Unix-domain sockets without --udp-bytes and --unix-bytes.", ends("direction")...),
		datagrams:   counter("dependency_datagrams_total", "Datagrams of UDP, likewise, where they are counted (--udp-bytes).", ends("direction")...),
		dropped:     gauge("dependency_series_dropped", "Dependencies that this scrape leaves out because there are busier ones."),
	}
}

func (c *dependenciesCollector) name() string { return "dependencies" }

func (c *dependenciesCollector) metrics() []metric {
	return []metric{c.connections, c.failures, c.open, c.bytes, c.datagrams, c.dropped}
}

func (c *dependenciesCollector) collect(ch chan<- prometheus.Metric) bool {
	shown, dropped := busiest(merge(c.source()), c.limit)
	for _, d := range shown {
		c.send(ch, d)
	}
	c.dropped.send(ch, float64(dropped))
	return true
}

func (c *dependenciesCollector) send(ch chan<- prometheus.Metric, d dependency) {
	c.connections.send(ch, float64(d.Connections), d.client, d.server, d.proto)
	for _, f := range failures(d.Counters) {
		c.failures.send(ch, float64(f.count), d.client, d.server, d.proto, f.reason)
	}
	c.open.send(ch, float64(d.Open), d.client, d.server, d.proto)
	if d.TellBytes(d.proto) {
		c.bytes.send(ch, float64(d.BytesSent), d.client, d.server, d.proto, "sent")
		c.bytes.send(ch, float64(d.BytesReceived), d.client, d.server, d.proto, "received")
	}
	if d.DatagramsSent+d.DatagramsReceived > 0 {
		c.datagrams.send(ch, float64(d.DatagramsSent), d.client, d.server, d.proto, "sent")
		c.datagrams.send(ch, float64(d.DatagramsReceived), d.client, d.server, d.proto, "received")
	}
}
