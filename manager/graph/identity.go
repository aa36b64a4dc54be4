package graph

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"cassini/manager/findings"
	"cassini/manager/identity"
	"cassini/manager/moment"
	"cassini/model"
)

// machineKey is a machine-id, in half the memory of its text.
type machineKey [16]byte

// machines are the hosts that said a machine-id, in the order in which they did: nearly
// always one. Names stay with a machine-id until the host says another.
type machines map[machineKey][]string

func keyOfMachine(id string) (k machineKey) {
	if raw, err := hex.DecodeString(id); err == nil && len(raw) == len(k) {
		return machineKey(raw)
	}
	sum := sha256.Sum256([]byte(id))
	return machineKey(sum[:16])
}

// maxNamesakes bounds how many others of its host name are named of a host.
const maxNamesakes = 20

// keptBoots is how many boots of a host are remembered before its present one.
const keptBoots = 8

func (h *host) remember(before, now string) {
	if before == now || before == "" || slices.Contains(h.boots, before) {
		return
	}
	h.boots = append(h.boots, before)
	h.boots = h.boots[max(0, len(h.boots)-keptBoots):]
}

// forgetMachine forgets which machine-id a host said.
func (g *Graph) forgetMachine(h *host) {
	if h.identity != nil {
		g.dropMachine(h.identity.MachineID, h.name)
		h.identity = nil
		g.unsumHost(h.name)
	}
}

func (g *Graph) dropMachine(id, host string) {
	key := keyOfMachine(id)
	if g.machines[key] = remove(g.machines[key], host); len(g.machines[key]) == 0 {
		delete(g.machines, key)
	}
}

// devices are the hardware addresses of a host's devices.
func (g *Graph) devices(host string) (macs []string) {
	for _, i := range g.interfacesOf(host) {
		if i.Kind == "device" && i.Address != "" {
			macs = append(macs, i.Address)
		}
	}
	slices.Sort(macs)
	return macs
}

// identified notes whose machine-id a host has, and looks for others that have it.
func (g *Graph) identified(h *host, at time.Time) {
	id := h.identity.MachineID
	if _, n := model.CutNamesake(h.name); n > 1 {
		g.findings.Namesakes(findings.Pair{Original: h.identity.Hostname, Clone: h.name}, at, g.namesakes)
	}
	of := h.identity.CopyOf
	if of != "" {
		g.findings.Twins(findings.Pair{Original: of, Clone: h.name, Machine: id, Copy: true}, at, g.twins)
	}
	if id == "" {
		return
	}
	key := keyOfMachine(id)
	list := slices.DeleteFunc(g.machines[key], func(name string) bool { return !g.hasMachine(name, id) })
	if !slices.Contains(list, h.name) {
		list = append(list, h.name)
	}
	g.machines[key] = list
	for _, other := range list {
		if other != h.name && other != of && g.hosts[other].identity.CopyOf != h.name {
			older, newer := other, h.name
			if g.hosts[newer].known.Before(g.hosts[older].known) {
				older, newer = newer, older
			}
			g.findings.Twins(findings.Pair{Original: older, Clone: newer, Machine: id}, at, g.twins)
		}
	}
}

func (g *Graph) hasMachine(host, id string) bool {
	h := g.hosts[host]
	return h != nil && h.identity != nil && h.identity.MachineID == id
}

// twins compares two hosts as of a moment; since is when they were last compared.
func (g *Graph) twins(p findings.Pair, since time.Time) identity.Twins {
	a, b := g.hosts[p.Original], g.hosts[p.Clone]
	if a == nil || b == nil || a.identity == nil || b.identity == nil {
		return identity.Strangers
	}
	if b.identity.CopyOf == p.Original {
		if g.isLive(a, since) && g.isLive(b, since) {
			return identity.Cloned
		}
		return identity.MayBe
	}
	return identity.Compare(identity.Of(*a.identity, nil), identity.Of(*b.identity, nil), g.isLive(a, since), g.isLive(b, since))
}

// namesakes says whether two hosts of one host name are live, and two machines that are not
// clones: of clones other things are told.
func (g *Graph) namesakes(p findings.Pair, since time.Time) bool {
	a, b := g.hosts[p.Original], g.hosts[p.Clone]
	if a == nil || b == nil || b.identity == nil || b.identity.Hostname != p.Original || b.identity.CopyOf == p.Original || a.identity != nil && g.hasMachine(p.Clone, a.identity.MachineID) {
		return false
	}
	return g.isLive(a, since) && g.isLive(b, since)
}

// isLive says whether a host is known to be up: its neighbors hear it, or it said
// something since a moment.
func (g *Graph) isLive(h *host, since time.Time) bool {
	if _, bad := g.incidents.Status(h.name); bad {
		return g.isUp(h.name)
	}
	return h.heard > moment.Of(since) || g.isHeard(h.name)
}

// Machine is what a host told of the machine that it runs on, and whether it is known to be
// up: it said something since a moment, or its neighbors on a ring hear it.
func (g *Graph) Machine(host string, since time.Time) (m model.Machine, live bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	h := g.hosts[host]
	if h == nil {
		return m, false
	}
	if id := h.identity; id != nil {
		m = model.Machine{MachineID: id.MachineID, DMI: id.DMI, BootID: id.BootID}
	}
	for _, i := range g.interfacesOf(host) {
		mac := cmp.Or(i.PermanentAddress, i.Address)
		if i.Kind == "device" && mac != "" && mac != noMAC && len(mac) == len(noMAC) && len(m.MACs) < model.MaxMACs {
			m.MACs = append(m.MACs, mac)
		}
	}
	return m, g.isLive(h, since)
}

// noMAC is what the loopback has.
const noMAC = "00:00:00:00:00:00"

// Named are the hosts of a host name that reported: that which is called so, and those that
// are called otherwise since it had the name first.
func (g *Graph) Named(name string) (hosts []string) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.hosts[name] != nil {
		hosts = append(hosts, name)
	}
	for host := range g.numbered {
		if id := g.hosts[host].identity; id != nil && id.Hostname == name {
			hosts = append(hosts, host)
		}
	}
	slices.SortFunc(hosts, natural)
	return hosts
}

// IsHeard says whether the neighbors of a host hear it at this moment.
func (g *Graph) IsHeard(host string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.isUp(host) && g.isHeard(host)
}

// isHeard says whether a host is on a ring with others.
func (g *Graph) isHeard(host string) bool {
	for _, r := range g.rings {
		if len(r.Members) > 1 && slices.ContainsFunc(r.Members, func(m model.RingMember) bool { return m.Host == host }) {
			return true
		}
	}
	return false
}

// Identities are what hosts say of who they are, by name, with what speaks against it.
func (g *Graph) Identities(host string) []model.HostIdentity {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list, names := []model.HostIdentity{}, g.namesakesByName()
	for name, h := range g.hosts {
		if h.identity == nil || host != "" && host != name {
			continue
		}
		i := model.HostIdentity{Host: name, Hostname: h.identity.Hostname, Known: h.known.Time(), Heard: h.heard.Time(), MachineID: h.identity.MachineID, DMI: h.identity.DMI, BootID: h.identity.BootID, BootTime: h.identity.BootTime.UTC(), MACs: g.devices(name)}
		for _, other := range g.machines[keyOfMachine(i.MachineID)] {
			if other == name || i.MachineID == "" || !g.hasMachine(other, i.MachineID) {
				continue
			}
			p := findings.Pair{Original: name, Clone: other}
			if known := g.hosts[other].known; known.Before(h.known) {
				p = findings.Pair{Original: other, Clone: name}
			}
			s := model.SharedIdentity{Host: other, Original: p.Original == name, Relation: string(g.twins(p, h.known.Time()))}
			if isCopy(h, g.hosts[other]) || g.incidents.Known(model.IncidentHostIdentity, model.HostID(p.Clone)) {
				s.Relation = string(identity.Cloned)
			} else if s.Relation == string(identity.Cloned) {
				s.Relation = string(identity.MayBe) // they are still being looked at
			}
			i.Shared = append(i.Shared, s)
		}
		i.Shared = append(i.Shared, g.sharesName(h, names[i.Hostname])...)
		slices.SortFunc(i.Shared, func(a, b model.SharedIdentity) int { return strings.Compare(a.Host, b.Host) })
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b model.HostIdentity) int { return natural(a.Host, b.Host) })
	return list
}

// isCopy says whether one of two hosts came with a copy of the data directory of the other.
func isCopy(a, b *host) bool {
	return a.identity != nil && a.identity.CopyOf == b.name || b.identity != nil && b.identity.CopyOf == a.name
}

// namesakesByName are the hosts of each host name that several machines have.
func (g *Graph) namesakesByName() map[string][]string {
	list := map[string][]string{}
	for host := range g.numbered {
		h := g.hosts[host]
		if h.identity == nil {
			continue
		}
		name := h.identity.Hostname
		if list[name] = append(list[name], host); len(list[name]) == 1 && g.hosts[name] != nil {
			list[name] = append(list[name], name)
		}
	}
	return list
}

// sharesName says who of these has the host name of a host, and another machine-id.
func (g *Graph) sharesName(h *host, others []string) (list []model.SharedIdentity) {
	if len(others) > maxNamesakes {
		slices.SortFunc(others, natural)
		others = others[:maxNamesakes]
	}
	for _, other := range others {
		if o := g.hosts[other]; o != h && !(o.identity != nil && h.identity.MachineID != "" && o.identity.MachineID == h.identity.MachineID) {
			relation := identity.Namesake
			if isCopy(h, o) {
				relation = identity.Cloned
			}
			list = append(list, model.SharedIdentity{Host: other, Relation: string(relation), Original: h.name == h.identity.Hostname})
		}
	}
	return list
}
