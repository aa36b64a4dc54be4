package capture

import (
	"net/netip"

	"cassini/bpf"
	"cassini/model"
)

func (c *Capture) describeListener(l *bpf.Listener, image bpf.Image, clock bpf.Clock) model.Listener {
	d := model.Listener{
		Proto:     protoName(l.Proto),
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
		Proto:         protoName(key.Proto),
		Process:       c.processes.Resolve(owner, image),
		Client:        bpf.Addr(key.Peer),
		Server:        c.ownAddress(key),
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

// ownAddress is this end's address. A UDP socket may be bound to none: then it is
// the one that packets to the peer leave from.
func (c *Capture) ownAddress(key *bpf.EdgeKey) netip.Addr {
	own := bpf.Addr(key.Local)
	if key.Proto != bpf.ProtoUDP || !own.IsUnspecified() {
		return own
	}
	if source := c.sources.Toward(key.Netns, bpf.Addr(key.Peer)); source.IsValid() {
		return source
	}
	return own
}

func protoName(number uint8) string {
	if number == bpf.ProtoUDP {
		return "udp"
	}
	return "tcp"
}
