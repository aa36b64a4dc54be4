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
	moved := &c.edges.totals
	return model.CaptureStats{
		Events: maps.Clone(c.events),
		Drops: map[string]uint64{
			"ring_full":           kernel.RingFull,
			"edges_full":          kernel.EdgesFull,
			"listeners_full":      kernel.ListenersFull,
			"sockets_full":        kernel.SocketsFull,
			"edge_lost":           kernel.EdgeLost,
			"unattributed":        kernel.Unattributed,
			"unattributed_closed": kernel.UnattributedClosed,
			"bad_event":           c.bad,
			"evicted_busy":        c.evicted,
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
		},
		Resyncs:   c.resyncs,
		Evictions: c.evictions,
		Maps:      c.mapFill(),
		Listeners: len(c.listeners.byKey),
		Edges:     len(c.edges.byKernel),
	}, nil
}

// mapFill joins the kernel's maps with how many entries of each we know.
func (c *Capture) mapFill() []model.MapFill {
	var fills []model.MapFill
	for _, use := range c.cfg.Kernel.Maps() {
		fill := model.MapFill{Name: use.Name, Limit: use.Limit, Bytes: use.Bytes}
		switch use.Name {
		case "edges":
			fill.Used = len(c.edges.byKernel)
		case "listeners":
			fill.Used = len(c.listeners.byCookie)
		case "connections":
			fill.Used = int(c.edges.totals.open())
		case "events":
			fill.Used = c.cfg.Kernel.Pending()
		}
		fills = append(fills, fill)
	}
	return fills
}
