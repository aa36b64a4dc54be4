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
	if l.Ifindex != 0 {
		d.Interfaces = []string{c.sources.Interface(l.Netns, l.Ifindex)}
	}
	d.AcceptsChargedTo = c.chargedTo(l)
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
		Direction:     toDirection(key.Direction),
		Proto:         protoName(key.Proto),
		Process:       c.processes.Resolve(owner, image),
		Client:        bpf.Addr(key.Peer),
		Server:        c.ownAddress(key),
		Port:          key.Port,
		Netns:         key.Netns,
		NetnsName:     c.netns.Name(key.Netns),
		CountingSince: clock.Wall.UTC(),
	}
	if key.Scope != 0 {
		d.Interface = c.sources.Interface(key.Netns, key.Scope)
	}
	if d.Direction == model.Out {
		d.Client, d.Server = d.Server, d.Client
	}
	if d.Direction == model.Out && !d.Client.IsLoopback() && !d.Server.IsLoopback() {
		d.NetnsName = model.LastingNetns(d.NetnsName)
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
	if source := c.sources.Toward(key.Netns, bpf.Addr(key.Peer), key.Scope); source.IsValid() {
		return source
	}
	return own
}

func protoName(number uint8) string {
	switch number {
	case bpf.ProtoUDP:
		return "udp"
	case bpf.ProtoSCTP:
		return "sctp"
	}
	return "tcp"
}

// protoNumber is its opposite.
func protoNumber(name string) uint8 {
	switch name {
	case "udp":
		return bpf.ProtoUDP
	case "sctp":
		return bpf.ProtoSCTP
	}
	return bpf.ProtoTCP
}
