package exporter

import "maps"

// value is one value that a label can have, and what it says.
type value struct{ value, meaning string }

// labelValues explains, by metric, the values of a label where they are fixed
// and do not speak for themselves. docs/metrics.md shows it.
func labelValues() map[string][]value {
	all := map[string][]value{
		"cassini_capture_drops_total":         dropReasons(),
		"cassini_capture_transitions_total":   transitionKinds(),
		"cassini_capture_events_total":        eventKinds(),
		"cassini_capture_open_reads_total":    openReadOutcomes(),
		"cassini_dependency_failures_total":   failureReasons(),
		"cassini_outbox_dropped_total":        outboxReasons(),
		"cassini_outbox_told_again_total":     againReasons(),
		"cassini_deliveries_refused_total":    refusalReasons(),
		"cassini_discovery_dropped_total":     discoveryReasons(),
		"cassini_dependency_bytes_total":      directions(),
		"cassini_dependency_datagrams_total":  {{"sent", "Handed to the network by the sender."}, {"received", "Handed to the socket."}},
		"cassini_container_failures_total":    containerReasons(),
		"cassini_flight_recordings_total":     flightOutcomes(),
		"cassini_audit_entries_added_total":   auditResults(),
		"cassini_connection_rtt_seconds":      ends(),
		"cassini_connection_lifetime_seconds": ends(),
		"cassini_dns_addresses":               dnsAddresses(),
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
		{"unix_ring_full", "As ring_full, of Unix-domain sockets: nothing is lost."},
		{"unix_edges_full", "An attempt to connect to a Unix-domain socket found no room for its edge. It is counted nowhere else. TCP and UDP are not touched by it."},
		{"unix_clients_full", "Nothing could be kept with a Unix-domain socket that dialled: it does not count as open."},
		{"unix_listeners_full", "A Unix-domain socket that serves was beyond the 16,384 that are kept. Its service is missing."},
		{"unix_bad_event", "As bad_event, of Unix-domain sockets."},
		{"unix_bytes_skipped", "The bytes of a message over a Unix-domain socket were not counted, as the kernel does not enter a program again on a CPU that is inside it. Only with --unix-bytes."},
		{"tap_ring_full", "As ring_full, of packet and raw sockets: all open files are looked at instead. One that was closed by then is missing."},
		{"taps_full", "A packet or raw socket was beyond the 4,096 that are kept."},
		{"tap_bad_event", "As bad_event, of packet and raw sockets."},
		{"workers_full", "A connection was accepted by a process that found no room among 8,192 processes and listeners: the service counts it, none of its processes."},
		{"associations_full", "An association of SCTP found no room among 65,536 that are open: its end is not counted, and the dependency's open ones may be too high."},
		{"peers_full", "A UDP socket had 4,096 new peers in an hour: a flow with yet another was not kept. It is counted nowhere else."},
		{"udp_bytes_lost", "The bytes of a UDP datagram were not added to its dependency, as two CPUs took datagrams of one flow that nobody had read from. Only with --udp-bytes."},
		{"health_full", "A connection closed for which the kernel had no memory for its edge's histograms of round-trip times and lifetimes: they lack it. All else is counted."},
	}
}

func openReadOutcomes() []value {
	return []value{
		{"read", "The sockets of all open connections of TCP and SCTP were read."},
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
		{"sctp_established", "A process of this machine began an SCTP association."},
		{"sctp_accepted", "An SCTP association with a listener of this machine was established."},
		{"sctp_failed", "An attempt of a process of this machine to begin one did not get through."},
		{"sctp_closed", "An established SCTP association ended."},
		{"udp_sent_first", "A UDP socket of this machine exchanged datagrams with a peer, and was the first to send."},
		{"udp_heard_first", "The same, and the peer was the first to send."},
		{"udp_failed", "A connected UDP socket was told that nobody is there."},
		{"udp_stray", "A UDP socket that serves nobody heard a peer that it had not asked: answers to a multicast or broadcast, as a rule; or one that hears what is meant for all heard a peer that it has not answered. No dependency has it."},
		{"unix_connect", "A process of this machine began to connect to a Unix-domain socket, or sent a datagram to one that it had not sent to."},
		{"unix_connected", "Such an attempt found somebody."},
		{"unix_failed", "Such an attempt did not."},
		{"udp_to_all", "A datagram was sent to a multicast or broadcast address. No dependency has it."},
	}
}

func eventKinds() []value {
	return []value{
		{"listen", "A listener appeared."},
		{"unlisten", "A listener went."},
		{"edge", "The first connection of an edge. Later ones are only counted in the kernel."},
		{"failed", "A failure of an edge, the first of a minute."},
		{"heard", "The first sign that a connected UDP socket of an edge is used."},
		{"full", "The map of edges was full; told at most once a second."},
		{"many", "A bucket of an edge's histograms counted another 2,147,483,648 connections: it is read before it runs over."},
		{"handover", "A listener is another process's than before: that one ended or ran another program, or it was init's."},
		{"unix_edge", "The first attempt of a program at the name of a Unix-domain socket."},
		{"unix_unsure", "A later one of which the kernel side does not know who answers, or why nobody does; ten a second of each at most."},
		{"unix_listen", "A Unix-domain socket began to listen, or ended, on kernels that tell."},
		{"unix_full", "The map of edges of Unix-domain sockets was full; told at most once a second."},
		{"tap_opened", "A packet or raw socket was opened, or bound, on kernels that tell."},
		{"tap_closed", "A packet or raw socket was closed, on kernels that tell."},
		{"tap_held", "A document of packet or raw sockets came too soon after others of the same program; the latest goes once a minute."},
	}
}

func ends() []value {
	return []value{
		{"client", "A process of this machine connected."},
		{"server", "A process of this machine was connected to."},
		{"unknown", "The connection was there before the agent, and nothing tells."},
	}
}

func failureReasons() []value {
	return []value{
		{"refused", "ECONNREFUSED: nothing listens there."},
		{"timed_out", "ETIMEDOUT: no answer."},
		{"unreachable", "EHOSTUNREACH, ENETUNREACH and the like, also at once where no route leads there or this host itself forbids it, on kernels that tell; of Unix-domain sockets ENOENT: there is no such file."},
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
		{"renamed", "It waited since a time when this host had another name."},
		{"damaged", "It waited on disk and could not be read any more when the agent started."},
	}
}

func directions() []value {
	return []value{
		{"sent", "Acknowledged by the peer."},
		{"received", "Received from the peer."},
	}
}
