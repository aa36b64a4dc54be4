package capture

import (
	"cassini/bpf"
	"cassini/model"
)

// counted is what the kernel counted of an edge: without whose it is, which does not change.
// Edges are kept by the hundred thousand.
type counted struct {
	Attempts, Connections, Adopted                   uint64
	Refused, TimedOut, Unreachable, Aborted, Closed  uint64
	BytesSent, BytesReceived, Retransmits, RttUs     uint64
	DatagramsSent, DatagramsReceived                 uint64
	Waiting, LastNs                                  uint64
	AdoptedSent, AdoptedReceived, AdoptedRetransmits uint64
	Life                                             uint32
}

func countedOf(e *bpf.Edge) counted {
	retransmits, rtts := e.Resent()
	sent, received := e.Datagrams()
	return counted{
		Attempts: e.Attempts, Connections: e.Connections, Adopted: e.Adopted,
		Refused: e.Refused, TimedOut: e.TimedOut, Unreachable: e.Unreachable, Aborted: e.Aborted, Closed: e.Closed,
		BytesSent: e.BytesSent, BytesReceived: e.BytesReceived, Retransmits: retransmits, RttUs: rtts,
		DatagramsSent: sent, DatagramsReceived: received,
		Waiting: uint64(e.Waiting), LastNs: e.LastNs,
		AdoptedSent: e.AdoptedSent, AdoptedReceived: e.AdoptedReceived, AdoptedRetransmits: e.AdoptedRetransmits,
		Life: e.Life,
	}
}

func addCounters(to, from *counted) {
	to.Attempts += from.Attempts
	to.Connections += from.Connections
	to.Adopted += from.Adopted
	to.Refused += from.Refused
	to.TimedOut += from.TimedOut
	to.Unreachable += from.Unreachable
	to.Aborted += from.Aborted
	to.Closed += from.Closed
	to.RttUs += from.RttUs
	to.DatagramsSent += from.DatagramsSent
	to.DatagramsReceived += from.DatagramsReceived
	to.AdoptedSent += from.AdoptedSent
	to.AdoptedReceived += from.AdoptedReceived
	to.AdoptedRetransmits += from.AdoptedRetransmits
}

func subtractCounters(from, what *counted) {
	from.Attempts -= what.Attempts
	from.Connections -= what.Connections
	from.Adopted -= what.Adopted
	from.Refused -= what.Refused
	from.TimedOut -= what.TimedOut
	from.Unreachable -= what.Unreachable
	from.Aborted -= what.Aborted
	from.Closed -= what.Closed
}

func failures(e *counted) uint64 { return e.Refused + e.TimedOut + e.Unreachable + e.Aborted }

// toCounters are the counters of e, of which moved is what all connections moved, and
// live what the open ones did.
func toCounters(e *counted, moved *moved, live *flow) model.Counters {
	c := model.Counters{
		Connections:   e.Connections + e.Waiting,
		Adopted:       e.Adopted,
		Attempts:      e.Attempts,
		Failed:        failures(e),
		Refused:       e.Refused,
		TimedOut:      e.TimedOut,
		Unreachable:   e.Unreachable,
		Aborted:       e.Aborted,
		Open:          open(e) + e.Waiting,
		BytesSent:     moved.sent,
		BytesReceived: moved.received,
		Retransmits:   moved.retransmits,
		Closed:        e.Closed,
		OpenRTTs:      live.rtts,
		OpenAges:      live.lifetimes,
		OpenTraffic:   live.traffic(),

		DatagramsSent: e.DatagramsSent, DatagramsReceived: e.DatagramsReceived,

		AdoptedTraffic: model.Traffic{
			BytesSent: e.AdoptedSent, BytesReceived: e.AdoptedReceived, Retransmits: e.AdoptedRetransmits,
		},
	}
	if sockets := e.Closed + live.sockets; sockets > 0 {
		c.RTTMicros = (e.RttUs + live.rttUs) / sockets
	}
	return c
}

// open is how many connections are established now. The counters of an edge are
// not read at one instant, so that a close may be seen before its connection.
func open(e *counted) uint64 {
	if opened := e.Connections + e.Adopted; opened > e.Closed {
		return opened - e.Closed
	}
	return 0
}
