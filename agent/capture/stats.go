package capture

import (
	"maps"

	"cassini/model"
)

// Stats reads the totals of the kernel side and of the tables. What edges count
// is as of the last Refresh.
func (c *Capture) Stats() (model.CaptureStats, error) {
	kernel, err := c.cfg.Kernel.Counters()
	if err != nil {
		return model.CaptureStats{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var workersFull uint64
	if c.cfg.Accepts != nil {
		if workersFull, err = c.cfg.Accepts.Full(); err != nil {
			return model.CaptureStats{}, err
		}
	}
	moved := &c.edges.totals
	rtts, lifetimes := moved.byEnd()
	return model.CaptureStats{
		RTTs: rtts, Lifetimes: lifetimes,
		Events: maps.Clone(c.events),
		Drops: map[string]uint64{
			"ring_full":           kernel.RingFull,
			"edges_full":          kernel.EdgesFull,
			"udp_edges_full":      kernel.UdpEdgesFull,
			"listeners_full":      kernel.ListenersFull,
			"sockets_full":        kernel.SocketsFull,
			"edge_lost":           kernel.EdgeLost,
			"unattributed":        kernel.Unattributed,
			"unattributed_closed": kernel.UnattributedClosed,
			"bad_event":           c.bad,
			"evicted_busy":        c.evicted,
			"flows_full":          kernel.FlowsFull,
			"peers_full":          kernel.PeersFull,
			"udp_bytes_lost":      kernel.BytesLost,
			"health_full":         kernel.HealthFull,
			"workers_full":        workersFull,
			"associations_full":   kernel.AssociationsFull,
		},
		Transitions: map[string]uint64{
			"listen":            kernel.Listen,
			"unlisten":          kernel.Unlisten,
			"connect":           moved.out.Attempts,
			"established":       moved.out.Connections,
			"accepted":          moved.in.Connections,
			"failed":            failures(&moved.out) + failures(&moved.in),
			"closed":            moved.out.Closed + moved.in.Closed,
			"stale":             kernel.Stale,
			"handshake_aborted": kernel.HandshakeAborted,
			"udp_sent_first":    moved.udpOut.Connections,
			"udp_heard_first":   moved.udpIn.Connections,
			"udp_failed":        failures(&moved.udpOut) + failures(&moved.udpIn),
			"sctp_established":  moved.sctpOut.Connections,
			"sctp_accepted":     moved.sctpIn.Connections,
			"sctp_failed":       failures(&moved.sctpOut) + failures(&moved.sctpIn),
			"sctp_closed":       moved.sctpOut.Closed + moved.sctpIn.Closed,
			"udp_stray":         kernel.Stray,
			"udp_to_all":        kernel.ToAll,
		},
		Resyncs:   c.resyncs,
		Evictions: c.evictions,
		OpenReads: model.OpenReads{Reads: c.traffic.reads, Spared: c.traffic.spared, Took: c.traffic.took},
		Lives:     model.LifeStats{Programs: len(c.lives.byFunction), Released: c.lives.released, Forgotten: c.lives.forgotten},
		Maps:      c.mapFill(),
		Listeners: len(c.listeners.byKey),
		Edges:     c.edges.byKernel.len(),
	}, nil
}

// mapFill joins the kernel's maps with how many entries of each we know.
func (c *Capture) mapFill() []model.MapFill {
	var fills []model.MapFill
	for _, use := range c.cfg.Kernel.Maps() {
		fill := model.MapFill{Name: use.Name, Limit: use.Limit, Bytes: use.Bytes}
		switch use.Name {
		case "edges":
			fill.Used = c.edges.byKernel.len()
		case "udp_edges":
			fill.Used = c.edges.udp
		case "health":
			fill.Used = c.edges.healths
		case "listeners":
			fill.Used = len(c.listeners.byCookie)
		case "connections":
			fill.Used = int(c.edges.totals.open())
		case "associations":
			fill.Used = int(c.edges.totals.openSCTP())
		case "flows":
			fill.Limit = 0 // the one that rests longest makes room: it is full as a rule
		case "events":
			fill.Used = c.cfg.Kernel.Pending()
		}
		fills = append(fills, fill)
	}
	if c.cfg.Accepts != nil {
		use := c.cfg.Accepts.Map()
		fills = append(fills, model.MapFill{Name: use.Name, Limit: use.Limit, Bytes: use.Bytes, Used: c.workers})
	}
	return fills
}
