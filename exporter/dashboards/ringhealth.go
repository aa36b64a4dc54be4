package dashboards

// Units as Grafana names them.
const (
	count   = "short"
	seconds = "s"
	perSec  = "ops"
	packets = "pps"
	ratio   = "percentunit"
	octets  = "bytes"
	rate    = "Bps"
)

// ringHealth is what to look at first.
func ringHealth() Dashboard {
	return newDashboard("cassini-rings", "Cassini / Ring health",
		"Which rings are whole, being mended or torn, what happened, and how well neighbors hear each other.",
		section{"Rings and hosts", ringPanels()},
		section{"Incidents and detection", incidentPanels()},
		section{"Links between neighbors", linkPanels()},
		section{"Mending", mendingPanels()},
	)
}

func ringPanels() []Panel {
	states := map[string]Word{"0": {"whole", "green", 0}, "1": {"mending", "yellow", 1}, "2": {"torn", "red", 2}}
	return []Panel{
		stat(about{"Rings whole", "Rings in which every member does its part.", count}, redBelow(1), 3, query{`sum(cassini_rings{state="whole"})`, "whole"}),
		stat(about{"Rings being mended", "A member has yet to acknowledge its place. It lasts for a second or two.", count}, yellowAbove(1), 3, query{`sum(cassini_rings{state="mending"})`, "mending"}),
		stat(about{"Rings torn", "A member is not up, and still has its place.", count}, redAbove(1), 3, query{`sum(cassini_rings{state="torn"})`, "torn"}),
		stat(about{"Hosts up", "Hosts that are heard by their neighbors.", count}, redBelow(1), 3, query{`sum(cassini_hosts{state="up"})`, "up"}),
		stat(about{"Hosts not up", "Hosts in any other state, also those that were stopped in order. `cassini hosts` names them.", count}, yellowAbove(1), 3, query{`sum(cassini_hosts{state!="up"})`, "not up"}),
		stat(about{"Watched by nobody", "Hosts whose death nobody would tell. The manager's own host is one while it has no neighbor.", count}, yellowAbove(1), 3, query{`sum(cassini_hosts_unwatched)`, "unwatched"}),
		stat(about{"Incidents open", "What happened and is not over. `cassini incidents --open` tells the story.", count}, redAbove(1), 3, query{`sum(cassini_incidents{state="open"})`, "open"}),
		stat(about{"Watched by the kernel", "Share of living hosts whose kernel waits for heartbeats. Elsewhere each one wakes the agent.", ratio}, redBelow(0.5), 3,
			query{`sum(cassini_hosts_watching{watch="kernel"}) / sum(cassini_hosts_watching)`, "kernel"}),
		timeline(about{"Rings over time", "Each ring's state, the 40 worst. What is torn for 5 minutes alerts.", count}, 12, states,
			query{`topk(40, max by (ring) (cassini_ring_state{state="mending"}) + 2 * max by (ring) (cassini_ring_state{state="torn"}))`, "{{ring}}"}),
		stacked(about{"Hosts by state", "All hosts that ever joined, by how they are.", count}, 12, query{`sum by (state) (cassini_hosts)`, "{{state}}"}),
		table(about{"Rings", "Every ring that the manager shows: those that are not whole first when there are more than 500.", count}, 24, []string{"instance"},
			column{"Members", `sum by (ring, level) (cassini_ring_members)`, count, nil},
			column{"Epoch", `max by (ring, level) (cassini_ring_epoch * on (ring, instance, job) group_left (level) (cassini_ring_members > bool 0))`, "none", nil},
			column{"Not up", `max by (ring, level) (cassini_ring_members_unwell * on (ring, instance, job) group_left (level) (cassini_ring_members > bool 0))`, count, redAbove(1)},
			column{"Unacknowledged", `max by (ring, level) (cassini_ring_members_unacknowledged * on (ring, instance, job) group_left (level) (cassini_ring_members > bool 0))`, count, yellowAbove(1)},
		),
	}
}

func incidentPanels() []Panel {
	detection := func(q string) string { return `histogram_quantile(` + q + `, sum(cassini_detection_seconds))` }
	return []Panel{
		curves(about{"Incidents open, by kind", "Several deaths of one cause are one incident. Empty until the first.", count}, calm(), 12,
			query{`sum by (kind, severity) (cassini_incidents_open)`, "{{kind}} ({{severity}})"}),
		stat(about{"Time to detection", "From a host's last heartbeat to the first report of its death, of all deaths that the manager remembers. The standard profile promises 4 s in the median and 5 s at most.", seconds}, above(4.4, 6), 6,
			query{detection("0.5"), "median"}, query{detection("0.99"), "99%"}),
		stat(about{"Deaths that were detected", "How many deaths that is about. Those that were known without silence are not among them: hosts that took their leave, and agents whose host refused heartbeats at once.", count}, neutral(), 3, query{`histogram_count(sum(cassini_detection_seconds))`, "deaths"}),
		stat(about{"Incidents corrected", "Incidents that told what was not so: each one is a wrong verdict. A healthy estate has none.", count}, redAbove(1), 3,
			query{`sum(cassini_incidents{state="corrected"})`, "corrected"}),
		curves(about{"Verdicts, by kind", "Reports that came to the manager. `corrected` comes also when a host is simply back.", count}, calm(), 12,
			query{`sum by (kind) (increase(cassini_ring_verdicts_received_total[$__rate_interval]))`, "{{kind}}"}),
		curves(about{"Suspicions", "A neighbor was silent for too long. Refuted: it was heard again. Doubted: the observer doubted itself and waited.", perSec}, calm(), 12,
			query{`sum(rate(cassini_ring_suspicions_total{instance=~"$host"}[$__rate_interval]))`, "suspected"},
			query{`sum(rate(cassini_ring_suspicions_refuted_total{instance=~"$host"}[$__rate_interval]))`, "refuted"},
			query{`sum(rate(cassini_ring_suspicions_doubted_total{instance=~"$host"}[$__rate_interval]))`, "doubted"},
			query{`sum(rate(cassini_ring_notices_total{instance=~"$host"}[$__rate_interval]))`, "told that it is suspected"}),
	}
}

func linkPanels() []Panel {
	of := func(q, metric, by string) string {
		return `histogram_quantile(` + q + `, sum by (` + by + `) (rate(` + metric + `{instance=~"$host"}[$__rate_interval])))`
	}
	const lateness, spacing = "cassini_heartbeat_lateness_seconds", "cassini_heartbeat_spacing_seconds"
	return []Panel{
		curves(about{"Silence, the 20 longest", "Time since a neighbor's latest heartbeat. With the standard profile it stays near 1 s; 3 s make a suspicion.", seconds}, above(2, 3), 12,
			query{`topk(20, cassini_heartbeat_silence_seconds{instance=~"$host"})`, "{{from}} to {{instance}}"}),
		curves(about{"Lateness of links, 99%, the 20 latest", "By how much heartbeats come later than the interval. Jitter of a quarter of it is meant; more is delay, loss (a whole interval), or a host that is short of CPU time.", seconds}, above(0.5, 2), 12,
			query{`topk(20, ` + of("0.99", lateness, "instance, from") + `)`, "{{from}} to {{instance}}"}),
		curves(about{"Round trip of links, median of an hour, the 20 longest", "How long a datagram to the next member of a ring and its answer take, measured about once a minute; the time in both agents is part of it.", seconds}, calm(), 12,
			query{`topk(20, histogram_quantile(0.5, sum by (instance, from) (increase(cassini_heartbeat_round_trip_seconds{instance=~"$host"}[1h]))))`, "{{instance}} to {{from}} and back"}),
		heatmap(about{"Lateness of all links", "The same of all chosen hosts: how many heartbeats a second were how late.", seconds}, 12,
			query{`sum(rate(` + lateness + `{instance=~"$host"}[$__rate_interval]))`, ""}),
		curves(about{"Spacing of heartbeats", "Time between arrivals, of all chosen hosts.", seconds}, calm(), 12,
			query{of("0.5", spacing, "job"), "median"}, query{of("0.99", spacing, "job"), "99%"}, query{of("0.999", spacing, "job"), "99.9%"}),
		curves(about{"Heartbeats received", "By host; with the standard profile about one a second from each neighbor.", packets}, calm(), 12,
			query{`sum by (instance) (rate(cassini_heartbeats_total{instance=~"$host"}[$__rate_interval]))`, "{{instance}}"}),
		curves(about{"Silences and own standstill", "How often a neighbor was silent for too long, and how often it was given more time since this host had stood still.", count}, calm(), 12,
			query{`sum by (instance) (increase(cassini_heartbeat_expiries_total{instance=~"$host"}[$__rate_interval]))`, "silent, heard by {{instance}}"},
			query{`sum by (instance) (increase(cassini_heartbeat_windows_renewed_total{instance=~"$host"}[$__rate_interval]))`, "{{instance}} stood still"}),
	}
}

func mendingPanels() []Panel {
	return []Panel{
		curves(about{"Repairs", "Changes of rings, and the instructions for them, repetitions included: a constant number for each repair, whatever the ring's size.", count}, calm(), 8,
			query{`sum(increase(cassini_ring_repairs_total[$__rate_interval]))`, "repairs"},
			query{`sum(increase(cassini_ring_instructions_total[$__rate_interval]))`, "instructions"},
			query{`sum(increase(cassini_ring_inquiries_total[$__rate_interval]))`, "inquiries of the manager"}),
		curves(about{"Instructions on their way", "Not acknowledged yet. They are repeated until they are.", count}, yellowAbove(10), 8, query{`sum(cassini_ring_instructions_pending)`, "pending"}),
		curves(about{"Bridges and what came too late", "Bridges mend a ring without the manager. Stale instructions and verdicts are refused: they are about what has passed.", count}, calm(), 8,
			query{`sum(increase(cassini_ring_bridges_total{instance=~"$host"}[$__rate_interval]))`, "bridges"},
			query{`sum(increase(cassini_ring_instructions_stale_total{instance=~"$host"}[$__rate_interval]))`, "stale instructions"},
			query{`sum(increase(cassini_ring_verdicts_stale_total[$__rate_interval]))`, "stale verdicts"}),
	}
}
