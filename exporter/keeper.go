package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// keeperCollector shows all rings as the manager knows them: how they are, how the
// hosts are, and what happened.
type keeperCollector struct {
	source                           func() *model.RingKeeperStats
	rings                            ringMetrics
	hosts, watches, unwatched        metric
	repairs, rotations, untold       metric
	pending, instructions, inquiries metric
	verdicts, stale                  metric
	sent, failed, received           metric
	incidents                        incidentMetrics
}

func newKeeperCollector(source func() *model.RingKeeperStats, maxRings int) *keeperCollector {
	return &keeperCollector{
		source:       source,
		rings:        newRingMetrics(maxRings),
		hosts:        gauge("hosts", "Hosts that joined the rings, by state.", "state"),
		watches:      gauge("hosts_watching", "Of these, hosts that are alive, by who waits for heartbeats there: the kernel or the agent (user).", "watch"),
		unwatched:    gauge("hosts_unwatched", "Hosts that should be alive and that nobody watches. The manager's own host is one while it has no neighbor."),
		repairs:      counter("ring_repairs_total", "Changes of rings: hosts that came, went or were taken out."),
		rotations:    counter("ring_key_rotations_total", "Times that a ring took its next keys into use."),
		untold:       gauge("ring_documents_untold", "Verdicts and states of rings that are on disk and not in the manager's log yet."),
		pending:      gauge("ring_instructions_pending", "Instructions that their hosts did not acknowledge yet."),
		instructions: counter("ring_instructions_total", "Instructions that were sent, repetitions included."),
		inquiries:    counter("ring_inquiries_total", "Times that the manager itself asked after a host."),
		verdicts:     counter("ring_verdicts_received_total", "Verdicts that came to the manager, by kind.", "kind"),
		stale:        counter("ring_verdicts_stale_total", "Verdicts that were not acted on, for the life that they are about is over."),
		sent:         counter("keeper_datagrams_sent_total", "Datagrams that the manager sent to members of rings."),
		failed:       counter("keeper_datagrams_failed_total", "Datagrams that it could not send."),
		received:     counter("keeper_control_received_total", "Datagrams that came to the manager, by what became of them.", "outcome"),
		incidents:    newIncidentMetrics(),
	}
}

func (c *keeperCollector) name() string { return "keeper" }

func (c *keeperCollector) metrics() []metric {
	own := []metric{
		c.hosts, c.watches, c.unwatched, c.repairs, c.rotations, c.untold, c.pending, c.instructions, c.inquiries, c.verdicts, c.stale,
		c.sent, c.failed, c.received,
	}
	return append(append(c.rings.metrics(), own...), c.incidents.metrics()...)
}

func (c *keeperCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.rings.send(ch, stats.Rings)
	c.sendHosts(ch, stats.Hosts)
	c.repairs.send(ch, float64(stats.Repairs))
	c.rotations.send(ch, float64(stats.Rotations))
	c.untold.send(ch, float64(stats.Untold))
	c.pending.send(ch, float64(stats.Pending))
	c.instructions.send(ch, float64(stats.Instructions))
	c.inquiries.send(ch, float64(stats.Inquiries))
	sendKnown(ch, c.verdicts, stats.Verdicts, verdictKinds())
	c.stale.send(ch, float64(stats.Stale))
	c.sent.send(ch, float64(stats.Sent))
	c.failed.send(ch, float64(stats.Failed))
	sendKnown(ch, c.received, stats.Received, controlOutcomes())
	c.incidents.send(ch, stats.Incidents)
	return true
}

// sendHosts counts hosts: a series for each would be too many.
func (c *keeperCollector) sendHosts(ch chan<- prometheus.Metric, hosts []model.HostLiveness) {
	states, watches := zeros(hostStates()), map[string]int{"kernel": 0, "user": 0}
	unwatched := 0
	for _, h := range hosts {
		states[valid(h.State)]++
		if !expected(h.State) {
			continue
		}
		if h.Watch != "" {
			watches[valid(h.Watch)]++
		}
		if len(h.WatchedBy) == 0 {
			unwatched++
		}
	}
	sendAll(ch, c.hosts, states)
	sendAll(ch, c.watches, watches)
	c.unwatched.send(ch, float64(unwatched))
}

// expected says whether a host in such a state has a place in a ring: its end is not
// known, and it can be told one.
func expected(state string) bool {
	switch state {
	case "ended", "stopped", "shut-down", "crashed", "deaf":
		return false
	}
	return true
}

// zeros is a map that has every value already, for a series that is there from the
// beginning.
func zeros(values []value) map[string]int {
	counts := make(map[string]int)
	for _, v := range values {
		counts[v.value] = 0
	}
	return counts
}
