package exporter

// ringLabelValues are labelValues of rings.
func ringLabelValues() map[string][]value {
	return map[string][]value{
		"cassini_ring_verdicts_total":                verdictKinds(),
		"cassini_hosts":                              hostStates(),
		"cassini_rings":                              ringStates(),
		"cassini_incidents":                          incidentStates(),
		"cassini_incidents_open":                     severities(),
		"cassini_heartbeat_datagrams_received_total": watchOutcomes(),
		"cassini_heartbeat_control_received_total":   controlOutcomes(),
	}
}

func ringStates() []value {
	return []value{
		{"whole", "Every member does its part."},
		{"mending", "A member has yet to acknowledge its place."},
		{"torn", "A member is not up, and still has its place."},
	}
}

func hostStates() []value {
	return []value{
		{"up", "It is heard."},
		{"hung", "Its kernel answers, its agent does not."},
		{"ended", "Its agent has ended without a farewell; the host is up."},
		{"stopped", "Its agent was stopped in order."},
		{"shut-down", "It was shut down in order."},
		{"crashed", "Two observers hear nothing at all of it."},
		{"link-down", "Others hear it, a neighbor does not."},
		{"deaf", "It hears nobody, as it says itself, and is heard."},
		{"unobservable", "Silent, and nobody could confirm why; or most of its zone is silent."},
	}
}

func verdictKinds() []value {
	return []value{
		{"process-hung", "The host's kernel answers, its agent does not."},
		{"process-ended", "The host's kernel answers that nothing hears at the agent's port."},
		{"host-crashed", "Two observers hear nothing at all of the host."},
		{"host-shutdown", "The agent took its leave since its host goes down."},
		{"agent-stopped", "The agent took its leave, and its host stays."},
		{"link-down", "Others hear the host, the reporter does not; or the reporter's own interface was down."},
		{"host-deaf", "The host hears nobody, as it says itself, and what it sends arrives."},
		{"segment-lost", "All that is known of a zone is silent, and what is outside of it is not."},
		{"partition", "Several zones were lost at one time."},
		{"manager-unreachable", "The manager cannot be reached, the ring can."},
		{"unobservable", "Silent, and nobody could confirm why."},
		{"corrected", "An earlier verdict was wrong, or no longer holds: also when a host is simply back."},
	}
}

func incidentStates() []value {
	return []value{
		{"open", "It goes on."},
		{"closed", "It is over."},
		{"corrected", "What it told was not so."},
		{"merged", "It is part of a larger one."},
	}
}

func severities() []value {
	return []value{
		{"critical", "Hosts were lost."},
		{"warning", "A host is not watched as it should be, or ended without a farewell; a service or a client is gone; an address is claimed by two."},
		{"info", "Somebody meant it, most likely."},
	}
}

func watchOutcomes() []value {
	return []value{
		{"heartbeat", "A neighbor's heartbeat."},
		{"control", "A datagram other than a heartbeat, passed on to the agent."},
		{"truncated", "Shorter than any datagram of rings."},
		{"malformed", "Not a datagram of rings."},
		{"unknown-set", "Of a ring or link that this host is not part of (any more)."},
		{"unknown-key", "Its key is not known here."},
		{"forged", "Its tag is wrong."},
		{"replayed", "It came before, or is older than the window of replays."},
		{"old-incarnation", "Of a life that has ended."},
		{"not-watched", "A heartbeat of somebody who is not waited for."},
		{"limited", "Datagrams other than heartbeats beyond 1,024 a second."},
		{"unarmed", "A heartbeat whose timer the kernel did not take."},
		{"untold", "An event that found no room, and was told later."},
	}
}

func controlOutcomes() []value {
	return []value{
		{"taken", "The agent acted on it."},
		{"filtered", "The watch took or refused it."},
		{"truncated", "Shorter than it says."},
		{"malformed", "It could not be decoded."},
		{"unknown-set", "Of a ring that this host is not part of."},
		{"unknown-key", "Its key is not known here."},
		{"forged", "It does not open with its key."},
		{"replayed", "It came before."},
		{"limited", "Beyond what is taken in a second."},
	}
}
