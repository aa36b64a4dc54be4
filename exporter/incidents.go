package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// incidentMetrics show what happened, and how soon the manager's rings knew.
type incidentMetrics struct {
	known, open metric
	detection   histogram
}

func newIncidentMetrics() incidentMetrics {
	return incidentMetrics{
		known: gauge("incidents", "Incidents that the manager remembers, by state. It forgets the oldest that are over beyond 10,000.", "state"),
		open:  gauge("incidents_open", "Incidents that are open now, by kind and severity. Kinds that none of those remembered has are absent.", "kind", "severity"),
		detection: newHistogram("detection_seconds",
			"From a host's last heartbeat to the first report of its death, of each death among the incidents that the manager remembers. Deaths that were known without silence are not in it: hosts that took their leave, and agents whose host refused heartbeats at once. It is a state, not a counter: take no rate of it.",
			[]float64{0.25, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 30, 60}, 3),
	}
}

func (m incidentMetrics) metrics() []metric { return []metric{m.known, m.open, m.detection.metric} }

func (m incidentMetrics) send(ch chan<- prometheus.Metric, list []model.Incident) {
	states := zeros(incidentStates())
	open := make(map[[2]string]int)
	var detection distribution
	for _, i := range list {
		states[valid(i.State)]++
		open[[2]string{valid(string(i.Kind)), valid(i.Severity)}] += int(truth(i.State == model.IncidentOpen))
		m.detect(&detection, i)
	}
	sendAll(ch, m.known, states)
	for of, n := range open {
		m.open.send(ch, float64(n), of[0], of[1])
	}
	m.detection.send(ch, detection)
}

// detect counts how long the first report of each death of an incident took.
func (m incidentMetrics) detect(d *distribution, i model.Incident) {
	told := make(map[model.RingMember]bool)
	for _, v := range i.Reports {
		of := model.RingMember{Host: v.Subject.Host, Incarnation: v.Subject.Incarnation}
		if !v.Kind.Death() || v.Evidence.Silent <= 0 || told[of] {
			continue
		}
		told[of] = true
		m.detection.observe(d, v.Evidence.Silent.Seconds())
	}
}
