package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// processCollector shows how the process is set up.
type processCollector struct {
	source                       func() model.ProcessStats
	memory, reloaded, reloadedAt metric
}

func newProcessCollector(source func() model.ProcessStats) *processCollector {
	return &processCollector{
		source:     source,
		memory:     gauge("memory_limit_bytes", "Memory that the process is to stay below: --memory-limit, GOMEMLIMIT, or nine tenths of what its cgroup allows. 0 without a limit."),
		reloaded:   gauge("config_last_reload_successful", "Whether the configuration could be read the last time: 1, or 0 when the one before stayed."),
		reloadedAt: gauge("config_last_reload_success_timestamp_seconds", "When the configuration could be read the last time, at the start or later."),
	}
}

func (c *processCollector) name() string      { return "process" }
func (c *processCollector) metrics() []metric { return []metric{c.memory, c.reloaded, c.reloadedAt} }

func (c *processCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	c.memory.send(ch, float64(stats.MemoryLimit))
	c.reloaded.send(ch, truth(stats.ReloadOK))
	c.reloadedAt.sendTime(ch, stats.ReloadedAt)
	return true
}
