package exporter

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// hookMetrics show which hook of this kernel serves which fact.
type hookMetrics struct{ info metric }

func newHookMetrics() hookMetrics {
	return hookMetrics{
		info: gauge("hook_info", "The hook of this kernel that serves a fact, and whether it is the first choice. An empty hook says that nothing serves it. Always 1.", "fact", "hook", "first_choice"),
	}
}

func (h hookMetrics) metrics() []metric { return []metric{h.info} }

func (h hookMetrics) send(ch chan<- prometheus.Metric, hooks []model.Hook) {
	for _, k := range hooks {
		h.info.send(ch, 1, k.Fact, k.Hook, strconv.FormatBool(k.First))
	}
}
