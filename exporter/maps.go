package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// mapMetrics show how full the bounded tables are.
type mapMetrics struct{ entries, limit, bytes metric }

func newMapMetrics() mapMetrics {
	return mapMetrics{
		entries: gauge("map_entries", "Entries in a bounded map (bytes waiting, for the ring buffer \"events\"). Absent for storage that lives with each socket.", "map"),
		limit:   gauge("map_entries_limit", "Entries that the map can hold (bytes, for the ring buffer \"events\").", "map"),
		bytes:   gauge("map_bytes", "Memory that the kernel charges for the map. Absent where it does not tell.", "map"),
	}
}

func (m mapMetrics) metrics() []metric { return []metric{m.entries, m.limit, m.bytes} }

func (m mapMetrics) send(ch chan<- prometheus.Metric, fills []model.MapFill) {
	for _, f := range fills {
		if f.Limit > 0 {
			m.entries.send(ch, float64(f.Used), f.Name)
			m.limit.send(ch, float64(f.Limit), f.Name)
		}
		if f.Bytes > 0 {
			m.bytes.send(ch, float64(f.Bytes), f.Name)
		}
	}
}
