package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// translationMetrics show what the agent hears of connections that this machine translates.
type translationMetrics struct {
	namespaces, known, limit              metric
	flows, malformed, overruns, forgotten metric
}

func newTranslationMetrics() translationMetrics {
	return translationMetrics{
		namespaces: gauge("conntrack_namespaces", "Network namespaces in which connection tracking is in use and listened to."),
		known:      gauge("translations", "Translations that are kept: one for each client, address that it dials and address that answers."),
		limit:      gauge("translations_limit", "Translations that can be kept."),
		flows:      counter("translated_flows_total", "Connections and UDP flows that this machine translates and that were told of."),
		malformed:  counter("conntrack_malformed_total", "Messages of conntrack that could not be decoded."),
		overruns:   counter("conntrack_overruns_total", "How often more connections were translated than could be read. Flows are missing then, and the table of the kernel is read once."),
		forgotten:  counter("translations_forgotten_total", "Translations beyond the limit: the longest idle, which make room, and flows in the table of the kernel that find none. What was told of them stays."),
	}
}

func (m translationMetrics) metrics() []metric {
	return []metric{m.namespaces, m.known, m.limit, m.flows, m.malformed, m.overruns, m.forgotten}
}

func (m translationMetrics) send(ch chan<- prometheus.Metric, s model.TranslationStats) {
	m.namespaces.send(ch, float64(s.Namespaces))
	m.known.send(ch, float64(s.Known))
	m.limit.send(ch, float64(s.Limit))
	m.flows.send(ch, float64(s.Flows))
	m.malformed.send(ch, float64(s.Malformed))
	m.overruns.send(ch, float64(s.Overruns))
	m.forgotten.send(ch, float64(s.Forgotten))
}
