package local

import "cassini/model"

// AddStats adds the figures of Unix-domain sockets to those of other sockets. What edges
// count is as of the last Refresh.
func (c *Local) AddStats(to *model.CaptureStats) error {
	kernel, err := c.cfg.Kernel.Counters()
	if err != nil {
		return err
	}
	skipped, err := c.cfg.Kernel.BytesSkipped()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, n := range c.events {
		to.Events[kind] = n
	}
	moved := c.edges.totals()
	for reason, n := range map[string]uint64{
		"unix_ring_full": kernel.RingFull, "unix_edges_full": kernel.EdgesFull, "unix_clients_full": kernel.ClientsFull,
		"unix_listeners_full": c.sockets.full, "unix_bad_event": c.bad,
		"unix_bytes_skipped": skipped,
	} {
		to.Drops[reason] = n
	}
	for kind, n := range map[string]uint64{
		"unix_connect": moved.Attempts, "unix_connected": moved.Connections, "unix_failed": moved.Failed,
	} {
		to.Transitions[kind] = n
	}
	to.Resyncs += c.resyncs
	to.Evictions += c.edges.evicted
	to.Listeners += len(c.sockets.byKey)
	for _, use := range c.cfg.Kernel.Maps() {
		fill := model.MapFill{Name: use.Name, Limit: use.Limit, Bytes: use.Bytes}
		switch use.Name {
		case "unix_edges":
			fill.Used = len(c.edges.byKernel)
		case "unix_events":
			fill.Used = c.cfg.Kernel.Pending()
		}
		to.Maps = append(to.Maps, fill)
	}
	return nil
}
