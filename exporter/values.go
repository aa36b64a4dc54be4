package exporter

import "maps"

// value is one value that a label can have, and what it says.
type value struct{ value, meaning string }

// labelValues explains, by metric, the values of a label where they are fixed
// and do not speak for themselves. docs/metrics.md shows it.
func labelValues() map[string][]value {
	all := map[string][]value{
		"cassini_capture_drops_total":       dropReasons(),
		"cassini_capture_transitions_total": transitionKinds(),
		"cassini_capture_events_total":      eventKinds(),
		"cassini_capture_open_reads_total":  openReadOutcomes(),
		"cassini_dependency_failures_total": failureReasons(),
		"cassini_outbox_dropped_total":      outboxReasons(),
		"cassini_discovery_dropped_total":   discoveryReasons(),
		"cassini_dependency_bytes_total":    directions(),
		"cassini_container_failures_total":  containerReasons(),
		"cassini_flight_recordings_total":   flightOutcomes(),
		"cassini_audit_entries_added_total": auditResults(),
		"cassini_dns_addresses":             dnsAddresses(),
		"cassini_dns_addresses_forgotten_total": {
			{"heard", "An address that a name server gave."},
			{"dialled", "An address that a program of this machine is a client of."},
		},
	}
	maps.Copy(all, ringLabelValues())
	return all
}

func dropReasons() []value {
	return []value{
		{"ring_full", "The ring buffer had no room for an event. Nothing is lost: the agent reads the maps whole (cassini_capture_resyncs_total)."},
		{"edge_lost", "A connection was established or closed whose edge was not found, because it had been evicted. The dependency's open connections may be too high."},
		{"edges_full", "A connection found no room for its edge. It is counted nowhere else: the dependency is missing or its counts are low."},
		{"udp_edges_full", "A UDP flow found no room for its edge: UDP has half of the places, and a scan can fill them. It is counted nowhere else. TCP is not touched by it."},
		{"listeners_full", "A listener found no room. Its service is missing, and connections to it have no direction."},
		{"sockets_full", "A connection found no room in the table of open ones. It is counted nowhere else."},
		{"unattributed", "A connection was established on a socket older than the agent that the bootstrap had not reached."},
		{"unattributed_closed", "The same, and it closed before the bootstrap reached it: the connection is not counted."},
		{"bad_event", "An event could not be decoded: agent and kernel program do not fit. Please report it."},
		{"evicted_busy", "An edge was removed as idle and became busy in that moment. Connections of that moment can be missing."},
		{"flows_full", "A UDP flow was forgotten to make room for another before it had rested for two minutes. Should it go on, it is counted again: a dependency's connections may be too high."},
		{"peers_full", "A UDP socket had 4,096 new peers in an hour: a flow with yet another was not kept. It is counted nowhere else."},
	}
}

func openReadOutcomes() []value {
	return []value{
		{"read", "The sockets of all open TCP connections were read."},
		{"spared", "The figures of the read before were shown: after each, it rests for nine times as long as it took, so that however often somebody asks, it takes a tenth of a core at most."},
	}
}

func transitionKinds() []value {
	return []value{
		{"listen", "A TCP socket began to listen, or a UDP socket to serve."},
		{"unlisten", "Such a socket ended."},
		{"connect", "A process of this machine began to connect."},
		{"established", "Such an attempt succeeded."},
		{"failed", "Such an attempt did not get through."},
		{"accepted", "A connection to a listener of this machine was established."},
		{"closed", "An established connection ended."},
		{"stale", "A connection whose end was not seen; it counts as closed since its memory was used again. Some sandboxes' kernels run no eBPF in the time of init."},
		{"handshake_aborted", "A connection to a listener ended before it was established."},
		{"udp_sent_first", "A UDP socket of this machine exchanged datagrams with a peer, and was the first to send."},
		{"udp_heard_first", "The same, and the peer was the first to send."},
		{"udp_failed", "A connected UDP socket was told that nobody is there."},
		{"udp_stray", "A UDP socket that serves nobody heard a peer that it had not asked: answers to a multicast or broadcast, as a rule. No dependency has it."},
		{"udp_to_all", "A datagram was sent to a multicast or broadcast address. No dependency has it."},
	}
}

func eventKinds() []value {
	return []value{
		{"listen", "A listener appeared."},
		{"unlisten", "A listener went."},
		{"edge", "The first connection of an edge. Later ones are only counted in the kernel."},
		{"failed", "The first failure of an edge."},
		{"heard", "The first sign that a connected UDP socket of an edge is used."},
		{"full", "The map of edges was full; told at most once a second."},
	}
}

func failureReasons() []value {
	return []value{
		{"refused", "ECONNREFUSED: nothing listens there."},
		{"timed_out", "ETIMEDOUT: no answer."},
		{"unreachable", "EHOSTUNREACH, ENETUNREACH and the like."},
		{"aborted", "The client gave up first."},
		{"other", "Any other error."},
	}
}

func discoveryReasons() []value {
	return []value{
		{"limited", "The kernel side held it back: more than 64 at once or 16 a second on one interface. Somebody floods."},
		{"refused", "It told of a neighbor beyond the 16 that are kept of an interface. The first to come are kept."},
		{"lost", "It found no room in the socket's buffer."},
	}
}

func dnsAddresses() []value {
	return []value{
		{"heard", "Given by a name server, whether or not somebody is a client of it."},
		{"named", "Dialled by a program of this machine and known by a name."},
	}
}

func containerReasons() []value {
	return []value{
		{"unknown", "No runtime on this machine knows the container, or none was found."},
		{"unreachable", "A runtime is there and cannot be asked: no right to its socket or files, or it has ended."},
		{"slow", "It did not answer within 3 seconds."},
		{"malformed", "Its answer cannot be read, or is about another container."},
	}
}

func outboxReasons() []value {
	return []value{
		{"full", "The outbox was at its limit while the manager was away."},
		{"refused", "The manager found the document invalid."},
	}
}

func directions() []value {
	return []value{
		{"sent", "Acknowledged by the peer."},
		{"received", "Received from the peer."},
	}
}
