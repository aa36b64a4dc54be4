package taps

import "cassini/model"

// AddStats adds the figures of packet and raw sockets to those of other sockets.
func (t *Taps) AddStats(to *model.CaptureStats) error {
	full, err := t.cfg.Kernel.RingFull()
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for kind, n := range t.events {
		to.Events[kind] = n
	}
	to.Events["tap_held"] = t.throttle.held
	for reason, n := range map[string]uint64{"tap_ring_full": full, "taps_full": t.table.full, "tap_bad_event": t.bad} {
		to.Drops[reason] = n
	}
	to.Resyncs += t.resyncs
	to.Listeners += len(t.table.byKey)
	for _, use := range t.cfg.Kernel.Maps() {
		to.Maps = append(to.Maps, model.MapFill{Name: use.Name, Limit: use.Limit, Bytes: use.Bytes, Used: t.cfg.Kernel.Pending()})
	}
	return nil
}
