package capture

// reading is what was counted of an edge when it was last read, in little room: most edges
// have nothing that is rare. Edges are kept by the hundred thousand.
type reading struct {
	attempts, connections, closed   uint64
	bytesSent, bytesReceived, rttUs uint64
	lastNs                          uint64
	life                            uint32
	rare                            *rare // nil: nothing
}

// rare is what few edges have: failures, what was open before the agent was, segments that
// were sent again, sockets of UDP of which nothing tells that they are used, and datagrams where
// they are counted.
type rare struct {
	adopted, refused, timedOut, unreachable, aborted uint64
	retransmits, waiting                             uint64
	datagramsSent, datagramsReceived                 uint64
	adoptedSent, adoptedReceived, adoptedRetransmits uint64
}

// counted is what was read.
func (r *reading) counted() counted {
	c := counted{
		Attempts: r.attempts, Connections: r.connections, Closed: r.closed,
		BytesSent: r.bytesSent, BytesReceived: r.bytesReceived, RttUs: r.rttUs, LastNs: r.lastNs, Life: r.life,
	}
	if s := r.rare; s != nil {
		c.Adopted, c.Refused, c.TimedOut, c.Unreachable, c.Aborted = s.adopted, s.refused, s.timedOut, s.unreachable, s.aborted
		c.Retransmits, c.Waiting = s.retransmits, s.waiting
		c.DatagramsSent, c.DatagramsReceived = s.datagramsSent, s.datagramsReceived
		c.AdoptedSent, c.AdoptedReceived, c.AdoptedRetransmits = s.adoptedSent, s.adoptedReceived, s.adoptedRetransmits
	}
	return c
}

// take keeps what was read.
func (r *reading) take(c *counted) {
	s := rare{
		c.Adopted, c.Refused, c.TimedOut, c.Unreachable, c.Aborted,
		c.Retransmits, c.Waiting,
		c.DatagramsSent, c.DatagramsReceived,
		c.AdoptedSent, c.AdoptedReceived, c.AdoptedRetransmits,
	}
	*r = reading{
		attempts: c.Attempts, connections: c.Connections, closed: c.Closed,
		bytesSent: c.BytesSent, bytesReceived: c.BytesReceived, rttUs: c.RttUs, lastNs: c.LastNs, life: c.Life,
	}
	if s != (rare{}) {
		r.rare = &s
	}
}
