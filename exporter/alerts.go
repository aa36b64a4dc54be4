package exporter

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// alertsCollector shows who is told of incidents, and whether that works.
type alertsCollector struct {
	source               func() []model.ReceiverStats
	sent, failed         metric
	pending, age, firing metric
	success, works       metric
}

func newAlertsCollector(source func() []model.ReceiverStats) *alertsCollector {
	return &alertsCollector{
		source:  source,
		sent:    counter("alert_notices_sent_total", "Notices of incidents that a receiver took, repetitions included.", "receiver"),
		failed:  counter("alert_attempts_failed_total", "Attempts to tell a receiver that failed. They are repeated until it takes them.", "receiver"),
		pending: gauge("alert_notices_pending", "Changes of incidents that a receiver was not told of yet.", "receiver"),
		age:     gauge("alert_oldest_pending_seconds", "How long ago the oldest of these changes came; 0 when there is none.", "receiver"),
		firing:  gauge("alert_incidents_told", "Incidents that a receiver was told of, and not of their end.", "receiver"),
		success: gauge("alert_last_success_timestamp_seconds", "When a receiver last took something. Absent before.", "receiver"),
		works:   gauge("alert_receiver_works", "Whether the last attempt to tell a receiver worked: 1 or 0.", "receiver"),
	}
}

func (c *alertsCollector) name() string { return "alerts" }

func (c *alertsCollector) metrics() []metric {
	return []metric{c.sent, c.failed, c.pending, c.age, c.firing, c.success, c.works}
}

func (c *alertsCollector) collect(ch chan<- prometheus.Metric) bool {
	for _, r := range c.source() {
		c.sent.send(ch, float64(r.Sent), r.Name)
		c.failed.send(ch, float64(r.Failed), r.Name)
		c.pending.send(ch, float64(r.Pending), r.Name)
		age := 0.0
		if !r.Oldest.IsZero() {
			age = max(0, time.Since(r.Oldest).Seconds())
		}
		c.age.send(ch, age, r.Name)
		c.firing.send(ch, float64(r.Firing), r.Name)
		c.success.sendTime(ch, r.Success, r.Name)
		c.works.send(ch, truth(r.Error == ""), r.Name)
	}
	return true
}
