package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// captureCollector shows the agent's capture: what the kernel reported, what was
// lost on the way, how full its tables are and which hooks serve. The source is
// asked once a scrape for all of it.
type captureCollector struct {
	source                     func() *model.CaptureStats
	events, drops, transitions metric
	resyncs, evictions         metric
	openReads, openReadTime    metric
	programs                   metric
	released, forgotten        metric
	listeners, edges           metric
	rtts, lifetimes            fares
	maps                       mapMetrics
	hooks                      hookMetrics
}

func newCaptureCollector(source func() *model.CaptureStats) *captureCollector {
	return &captureCollector{
		source:      source,
		events:      counter("capture_events_total", "Events of the kernel side that reached the agent, by kind.", "kind"),
		drops:       counter("capture_drops_total", "What the kernel side could not keep or pass on, by reason.", "reason"),
		transitions: counter("capture_transitions_total", "TCP state changes and UDP flows that the kernel side folded into its maps, by kind.", "kind"),
		resyncs:     counter("capture_resyncs_total", "Full reads of the kernel's maps after an event was dropped. Nothing is lost by them but time."),
		evictions:   counter("capture_evictions_total", "Idle edges removed from the kernel's map to make room. Their counts are kept by the agent."),
		openReads:   counter("capture_open_reads_total", "Questions that wanted to know what open connections have moved so far, by what became of them.", "outcome"),

		openReadTime: counter("capture_open_read_seconds_total", "How long it took to read what open connections have moved so far."),

		programs:  gauge("capture_programs", "Programs whose lives are counted: each cgroup in which one has connections is a life."),
		released:  counter("capture_released_edges_total", "Edges removed from the kernel's map because the cgroup of their program was gone. Their counts are kept by the agent."),
		forgotten: counter("capture_lives_forgotten_total", "Programs and dependencies of which no life is left, forgotten to make room. They are counted anew when they come again; what was counted has been told."),

		listeners: gauge("listeners", "Addresses on which something listens now."),
		edges:     gauge("edges", "Edges (one program here, one address there, one service port) in the kernel's map."),
		rtts:      newRTTs(),
		lifetimes: newLifetimes(),
		maps:      newMapMetrics(),
		hooks:     newHookMetrics(),
	}
}

func (c *captureCollector) name() string { return "capture" }

func (c *captureCollector) metrics() []metric {
	own := []metric{c.events, c.drops, c.transitions, c.resyncs, c.evictions, c.openReads, c.openReadTime, c.programs, c.released, c.forgotten, c.listeners, c.edges, c.rtts.metric, c.lifetimes.metric}
	return append(append(own, c.maps.metrics()...), c.hooks.metrics()...)
}

func (c *captureCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	sendAll(ch, c.events, stats.Events)
	sendAll(ch, c.drops, stats.Drops)
	sendAll(ch, c.transitions, stats.Transitions)
	c.resyncs.send(ch, float64(stats.Resyncs))
	c.evictions.send(ch, float64(stats.Evictions))
	c.openReads.send(ch, float64(stats.OpenReads.Reads), "read")
	c.openReads.send(ch, float64(stats.OpenReads.Spared), "spared")
	c.openReadTime.send(ch, stats.OpenReads.Took.Seconds())
	c.programs.send(ch, float64(stats.Lives.Programs))
	c.released.send(ch, float64(stats.Lives.Released))
	c.forgotten.send(ch, float64(stats.Lives.Forgotten))
	c.listeners.send(ch, float64(stats.Listeners))
	c.edges.send(ch, float64(stats.Edges))
	c.rtts.sendAll(ch, stats.RTTs)
	c.lifetimes.sendAll(ch, stats.Lifetimes)
	c.maps.send(ch, stats.Maps)
	c.hooks.send(ch, stats.Hooks)
	return true
}
