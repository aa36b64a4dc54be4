package estate

import (
	"fmt"
	"math/rand/v2"

	"cassini/model"
)

// machine tells who a host is, its one link, and the switch at the other end.
func (e Estate) machine(w *writer, h int) {
	host := e.Host(h)
	w.put(host, model.PackageIdentity, "", e.identity(h))
	w.put(host, model.PackageOS, "", model.OS{ID: "debian", Name: "Debian GNU/Linux 12 (bookworm)", Version: "12", Kernel: "6.1.0-18-amd64", Arch: "x86_64"})
	link, far := e.link(h), e.wire(h)
	w.put(host, model.PackageNetConfig, link.Key(), link)
	far.FirstSeen, far.Changed = w.now, w.now
	w.put(host, model.PackageNeighbors, far.Key(), far)
}

func (e Estate) identity(h int) model.Identity {
	return model.Identity{
		Hostname: e.Host(h), MachineID: fmt.Sprintf("%032x", h+1), BootID: fmt.Sprintf("boot-%d", h), BootTime: Begin, Agent: "1", AgentStart: Begin,
	}
}

func (e Estate) link(h int) model.Interface {
	return model.Interface{
		Name: "eth0", Index: 2, Kind: "device", Address: fmt.Sprintf("02:00:%02x:%02x:%02x:00", byte(h>>16), byte(h>>8), byte(h)),
		MTU: 1500, Up: true, OperState: "up", Carrier: 1, CarrierChanges: 1, Speed: 10_000, Duplex: "full", State: model.InterfacePresent,
		Addresses: map[string]model.IPConfig{addr(h).String() + "/26": {Scope: "global", Label: "eth0"}},
	}
}

func (e Estate) wire(h int) model.Neighbor {
	return model.Neighbor{
		Interface: "eth0", State: model.NeighborPresent,
		Discovery: model.Discovery{
			Protocol: model.LLDP, TTL: 120, SystemName: fmt.Sprintf("sw-%d", h/SwitchPorts), Enabled: []string{"bridge"},
			Chassis: model.PortID{Kind: "mac", ID: chassis(h)}, Port: model.PortID{Kind: "ifname", ID: fmt.Sprintf("Ethernet%d", h%SwitchPorts+1)},
		},
	}
}

// listeners are the service of the tier, and sshd.
func (e Estate) listeners(w *writer, h int) {
	e.listen(w, h, e.program(h), tiers[e.tier(h)].port)
	e.listen(w, h, process("/usr/sbin/sshd", "root", 397), 22)
}

func (e Estate) listen(w *writer, h int, p model.Process, port uint16) {
	l := e.listener(h, p, port)
	l.Since = w.now
	w.put(e.Host(h), model.PackageListeners, l.Key(), l)
}

func (e Estate) listener(h int, p model.Process, port uint16) model.Listener {
	return model.Listener{Proto: "tcp", Addr: addr(h), Port: port, Process: p, State: model.StateListening, Sockets: 1}
}

// dependencies are those of a host's service, and on every tenth application host a
// program that reads from a database and serves nobody.
func (e Estate) dependencies(w *writer, r *rand.Rand, h int) {
	tier := e.tier(h)
	next := min(tier+1, DB)
	for _, server := range e.popular(r, next, tiers[tier].dials, h) {
		e.connect(w, e.program(h), h, server)
	}
	if tier == App && h%10 == 0 {
		for _, server := range e.popular(r, DB, 1, h) {
			e.connect(w, process("/usr/bin/report", "report", 500), h, server)
		}
	}
}

// popular are up to n different hosts of a tier, but not one: the first are asked for the
// most, by a power law.
func (e Estate) popular(r *rand.Rand, tier, n, not int) (hosts []int) {
	from, end := e.span(tier)
	law := rand.NewZipf(r, 1.2, 8, uint64(end-from-1))
	taken := map[int]bool{not: true}
	for range 4 * n {
		h := from + int(law.Uint64())
		if len(hosts) < n && !taken[h] {
			taken[h] = true
			hosts = append(hosts, h)
		}
	}
	return hosts
}

// connect tells of connections at both ends.
func (e Estate) connect(w *writer, client model.Process, from, to int) {
	d := model.Dependency{
		Direction: model.Out, Proto: "tcp", Process: client, Client: addr(from), Server: addr(to), Port: tiers[e.tier(to)].port,
		Counters: model.Counters{Connections: 1, Attempts: 1}, FirstSeen: w.now, LastSeen: w.now, CountingSince: Begin,
	}
	w.put(e.Host(from), model.PackageDependencies, d.Key(), d)
	d.Direction, d.Process, d.Attempts = model.In, e.program(to), 0
	w.put(e.Host(to), model.PackageDependencies, d.Key(), d)
}
