package exporter

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// requestsCollector shows what is asked of the manager's API.
type requestsCollector struct {
	source         func() []model.RequestStat
	count, seconds metric
}

func newRequestsCollector(source func() []model.RequestStat) *requestsCollector {
	return &requestsCollector{
		source:  source,
		count:   counter("api_requests_total", "Requests that the API answered, by route and HTTP status. A stream counts when it ends.", "route", "status"),
		seconds: counter("api_request_seconds_total", "How long they took in sum.", "route", "status"),
	}
}

func (c *requestsCollector) name() string { return "requests" }

func (c *requestsCollector) metrics() []metric { return []metric{c.count, c.seconds} }

func (c *requestsCollector) collect(ch chan<- prometheus.Metric) bool {
	for _, r := range c.source() {
		status := strconv.Itoa(r.Status)
		c.count.send(ch, float64(r.Count), r.Route, status)
		c.seconds.send(ch, r.Seconds, r.Route, status)
	}
	return true
}
