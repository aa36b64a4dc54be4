package capture

import (
	"cassini/bpf"
	"cassini/model"
)

func (c *Capture) describeListener(l *bpf.Listener, image bpf.Image, clock bpf.Clock) model.Listener {
	d := model.Listener{
		Proto:     "tcp",
		Addr:      bpf.Addr(l.Addr),
		Port:      l.Port,
		DualStack: l.DualStack != 0 && bpf.Addr(l.Addr).IsUnspecified(),
		Process:   c.processes.Resolve(l.Owner, image),
		Netns:     l.Netns,
		NetnsName: c.netns.Name(l.Netns),
		Since:     clock.Mono(l.StartedNs),
	}
	if l.StartedNs == 0 {
		d.Since, d.SinceApprox = clock.Boot(l.Owner.StartNs), true
	}
	if d.Since.IsZero() {
		d.Since = clock.Wall.UTC()
	}
	return d
}

func (c *Capture) describeEdge(key *bpf.EdgeKey, owner bpf.Owner, image bpf.Image, clock bpf.Clock) model.Dependency {
	d := model.Dependency{
		Direction:     model.Unknown,
		Proto:         "tcp",
		Process:       c.processes.Resolve(owner, image),
		Client:        bpf.Addr(key.Peer),
		Server:        bpf.Addr(key.Local),
		Port:          key.Port,
		Netns:         key.Netns,
		NetnsName:     c.netns.Name(key.Netns),
		CountingSince: clock.Wall.UTC(),
	}
	switch key.Direction {
	case bpf.DirectionOut:
		d.Direction = model.Out
		d.Client, d.Server = d.Server, d.Client
	case bpf.DirectionIn:
		d.Direction = model.In
	}
	return d
}
