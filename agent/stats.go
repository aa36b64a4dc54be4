package agent

import "cassini/model"

// CaptureStats reads the figures of the capture; nil before it runs.
func (a *Agent) CaptureStats() *model.CaptureStats {
	p := a.running()
	if p == nil || p.capture == nil {
		return nil
	}
	stats, err := p.capture.Stats()
	if err != nil {
		return nil // the kernel side is closed: the agent is ending
	}
	if p.local != nil && p.local.AddStats(&stats) != nil {
		return nil // likewise
	}
	if p.taps != nil && p.taps.AddStats(&stats) != nil {
		return nil // likewise
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	stats.Hooks = a.hooks
	return &stats
}

// OutboxStats reads the figures of the outbox; nil before it runs.
func (a *Agent) OutboxStats() *model.OutboxStats {
	p := a.running()
	if p == nil {
		return nil
	}
	stats := p.outbox.Stats()
	return &stats
}

// NetworkStats reads the figures of what is heard of the network; nil before it runs.
func (a *Agent) NetworkStats() *model.NetworkStats {
	p := a.running()
	if p == nil || p.netconf == nil {
		return nil
	}
	return &model.NetworkStats{
		Net: p.netconf.Stats(), Frames: p.frames.Stats(), Announced: p.overhear.Stats(), Strangers: p.strangers.Stats(),
		Translations: p.translate.Stats(),
		Interfaces:   p.netconf.Interfaces(), Neighbors: p.frames.Neighbors(),
	}
}

// NameStats reads the figures of names that are found out; nil before it runs.
func (a *Agent) NameStats() *model.NameStats {
	p := a.running()
	if p == nil || p.containers == nil {
		return nil
	}
	return &model.NameStats{Containers: p.containers.Stats(), DNS: p.names.Stats()}
}
