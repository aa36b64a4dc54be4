package exporter

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

type buildCollector struct {
	info                         metric
	version, revision, goVersion string
}

func newBuildCollector(version, revision string) *buildCollector {
	return &buildCollector{
		info:    gauge("build_info", "The Cassini that runs, and the Go that built it. Always 1.", "version", "revision", "goversion"),
		version: version, revision: revision, goVersion: runtime.Version(),
	}
}

func (c *buildCollector) name() string      { return "build" }
func (c *buildCollector) metrics() []metric { return []metric{c.info} }

func (c *buildCollector) collect(ch chan<- prometheus.Metric) bool {
	c.info.send(ch, 1, c.version, c.revision, c.goVersion)
	return true
}
