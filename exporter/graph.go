package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// graphCollector shows the size of the manager's graph and who watches it.
type graphCollector struct {
	source                         func() model.GraphStats
	nodes, edges, services         metric
	documents, rejected, forgotten metric
	namesakes                      metric
	undirected, streams, lagged    metric
	written, room, unwritten       metric
	hosts, withdrawn               metric
}

func newGraphCollector(source func() model.GraphStats) *graphCollector {
	return &graphCollector{
		source:     source,
		nodes:      gauge("graph_nodes", "Nodes of the graph, by kind.", "kind"),
		edges:      gauge("graph_edges", "Edges of the graph, by kind.", "kind"),
		services:   gauge("services", "Services that the graph knows, by state.", "state"),
		namesakes:  gauge("graph_namesakes", "Hosts that are called otherwise than their host name (NAME~2), since another machine had it first."),
		documents:  counter("graph_documents_total", "Documents applied to the graph since the process started, replay included."),
		rejected:   counter("graph_rejected_total", "Documents that the graph did not understand, by package.", "package"),
		forgotten:  counter("graph_forgotten_total", "Ended services and idle dependencies dropped from the graph at its bound. Their documents are withdrawn."),
		hosts:      counter("hosts_forgotten_total", "Hosts that were forgotten: by people, or since nothing was heard of them for long."),
		withdrawn:  counter("documents_withdrawn_total", "Documents that the manager withdrew since their things are over, forgotten, or of a host that is. Retention removes them."),
		undirected: gauge("graph_undirected_dependencies", "Dependencies whose direction nothing tells (yet): they are in the documents, but no edges."),
		written:    gauge("graph_written_bytes", "Texts of dependencies that are kept for the next question."),
		room:       gauge("graph_written_bytes_limit", "How much of them is kept."),
		unwritten:  counter("graph_written_forgotten_total", "Texts that were forgotten to make room for others; they are written again when asked for."),
		streams:    gauge("event_streams", "Event streams that are open."),
		lagged:     counter("event_streams_lagged_total", "Event streams that were cut off because their reader was too slow."),
	}
}

func (c *graphCollector) name() string { return "graph" }

func (c *graphCollector) metrics() []metric {
	return []metric{c.nodes, c.edges, c.services, c.namesakes, c.documents, c.rejected, c.forgotten, c.undirected, c.written, c.room, c.unwritten, c.hosts, c.withdrawn, c.streams, c.lagged}
}

func (c *graphCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	sendAll(ch, c.nodes, stats.Nodes)
	sendAll(ch, c.edges, stats.Edges)
	sendAll(ch, c.services, stats.Services)
	c.namesakes.send(ch, float64(stats.Namesakes))
	c.documents.send(ch, float64(stats.Documents))
	sendAll(ch, c.rejected, stats.Rejected)
	c.forgotten.send(ch, float64(stats.Forgotten))
	c.undirected.send(ch, float64(stats.Undirected))
	c.written.send(ch, float64(stats.Written.Bytes))
	c.room.send(ch, float64(stats.Written.Limit))
	c.unwritten.send(ch, float64(stats.Written.Forgotten))
	c.hosts.send(ch, float64(stats.HostsForgotten))
	c.withdrawn.send(ch, float64(stats.Withdrawn))
	c.streams.send(ch, float64(stats.Watchers))
	c.lagged.send(ch, float64(stats.Lagged))
	return true
}
