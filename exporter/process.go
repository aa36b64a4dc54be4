package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// processCollector shows how the process is set up.
type processCollector struct {
	source                       func() model.ProcessStats
	memory, reloaded, reloadedAt metric
	flights                      metric
}

func newProcessCollector(source func() model.ProcessStats) *processCollector {
	return &processCollector{
		source:     source,
		memory:     gauge("memory_limit_bytes", "Memory that the process is to stay below: --memory-limit, GOMEMLIMIT, or nine tenths of what its cgroup allows. 0 without a limit."),
		reloaded:   gauge("config_last_reload_successful", "Whether the configuration could be read the last time: 1, or 0 when the one before stayed."),
		reloadedAt: gauge("config_last_reload_success_timestamp_seconds", "When the configuration could be read the last time, at the start or later."),
		flights:    counter("flight_recordings_total", "What the runtime did last, kept because something was odd or somebody asked, by outcome. Absent while the flight recorder is off.", "outcome"),
	}
}

func (c *processCollector) name() string { return "process" }
func (c *processCollector) metrics() []metric {
	return []metric{c.memory, c.reloaded, c.reloadedAt, c.flights}
}

func (c *processCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	c.memory.send(ch, float64(stats.MemoryLimit))
	c.reloaded.send(ch, truth(stats.ReloadOK))
	c.reloadedAt.sendTime(ch, stats.ReloadedAt)
	if f := stats.Flight; f != nil {
		sendAll(ch, c.flights, map[string]uint64{"written": f.Written, "skipped": f.Skipped, "failed": f.Failed})
	}
	return true
}

func flightOutcomes() []value {
	return []value{
		{"written", "A file was written to the folder flight of the data directory."},
		{"skipped", "Something was odd within a minute of the last file."},
		{"failed", "The file could not be written."},
	}
}
