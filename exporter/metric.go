package exporter

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is one metric: how a scrape names it, and what docs/metrics.md says.
type metric struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	desc       *prometheus.Desc
}

func gauge(name, help string, labels ...string) metric {
	return newMetric(prometheus.GaugeValue, name, help, labels)
}

func counter(name, help string, labels ...string) metric {
	return newMetric(prometheus.CounterValue, name, help, labels)
}

func newMetric(kind prometheus.ValueType, name, help string, labels []string) metric {
	name = "cassini_" + name
	return metric{name: name, help: help, kind: kind, labels: labels, desc: prometheus.NewDesc(name, help, labels, nil)}
}

// send passes one sample on. Label values may come from anywhere: what is not
// UTF-8 is replaced, for Prometheus refuses it.
func (m metric) send(ch chan<- prometheus.Metric, value float64, labels ...string) {
	for i, l := range labels {
		labels[i] = valid(l)
	}
	sample, err := prometheus.NewConstMetric(m.desc, m.kind, value, labels...)
	if err != nil {
		sample = prometheus.NewInvalidMetric(m.desc, err)
	}
	ch <- sample
}

func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// sendAll passes on one sample for every entry of a map with one label.
func sendAll[N int | uint64](ch chan<- prometheus.Metric, m metric, values map[string]N) {
	for label, v := range values {
		m.send(ch, float64(v), label)
	}
}

// sendKnown does the same, and sends 0 for values of the label that are known and did not
// occur, so that a rate sees the first one.
func sendKnown[K ~string, N int | uint64](ch chan<- prometheus.Metric, m metric, values map[K]N, known []value) {
	all := make(map[string]N, len(known))
	for _, k := range known {
		all[k.value] = 0
	}
	for label, v := range values {
		all[valid(string(label))] += v
	}
	sendAll(ch, m, all)
}

// truth is a boolean as Prometheus shows it.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
