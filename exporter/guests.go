package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// guestsCollector shows connections of those who have not shown who they are.
type guestsCollector struct {
	source func() *model.GuestStats

	open, closed, turnedAway, brokenOff metric
}

func newGuestsCollector(source func() *model.GuestStats) *guestsCollector {
	return &guestsCollector{
		source:     source,
		open:       gauge("api_guests", "Connections on which nobody has shown yet who he is, 4096 at most, and 1024 of one address."),
		closed:     counter("api_guests_closed_total", "Such connections that were closed since there were too many: the oldest, when they were there for 5 seconds."),
		turnedAway: counter("api_guests_turned_away_total", "Connections that were closed at once since there were too many such."),
		brokenOff:  counter("api_guests_requests_broken_off_total", "Requests on such connections that were broken off since there were too many under way: 8192 at most, and 2048 of one address."),
	}
}

func (c *guestsCollector) name() string { return "guests" }

func (c *guestsCollector) metrics() []metric {
	return []metric{c.open, c.closed, c.turnedAway, c.brokenOff}
}

func (c *guestsCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.open.send(ch, float64(stats.Open))
	c.closed.send(ch, float64(stats.Closed))
	c.turnedAway.send(ch, float64(stats.TurnedAway))
	c.brokenOff.send(ch, float64(stats.BrokenOff))
	return true
}
