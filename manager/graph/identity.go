package graph

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"cassini/manager/findings"
	"cassini/manager/identity"
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

// keptBoots is how many boots of a host are remembered before its present one.
const keptBoots = 8

func (h *host) remember(before, now string) {
	if before == now || before == "" || slices.Contains(h.boots, before) {
		return
	}
	h.boots = append(h.boots, before)
	h.boots = h.boots[max(0, len(h.boots)-keptBoots):]
}

// devices are the hardware addresses of a host's devices.
func (g *Graph) devices(host string) (macs []string) {
	for _, i := range g.interfacesOf[host] {
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
		if other != h.name {
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
	return identity.Compare(identity.Of(*a.identity, nil), identity.Of(*b.identity, nil), g.isLive(a, since), g.isLive(b, since))
}

// isLive says whether a host is known to be up: its neighbors hear it, or it said
// something since a moment.
func (g *Graph) isLive(h *host, since time.Time) bool {
	if _, bad := g.incidents.Status(h.name); bad {
		return g.isUp(h.name)
	}
	return h.heard.After(since) || g.isHeard(h.name)
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
	list := []model.HostIdentity{}
	for name, h := range g.hosts {
		if h.identity == nil || host != "" && host != name {
			continue
		}
		i := model.HostIdentity{Host: name, Known: h.known.UTC(), Heard: h.heard.UTC(), MachineID: h.identity.MachineID, DMI: h.identity.DMI, BootID: h.identity.BootID, BootTime: h.identity.BootTime.UTC(), MACs: g.devices(name)}
		for _, other := range g.machines[keyOfMachine(i.MachineID)] {
			if other == name || i.MachineID == "" || !g.hasMachine(other, i.MachineID) {
				continue
			}
			p := findings.Pair{Original: name, Clone: other}
			if known := g.hosts[other].known; known.Before(h.known) {
				p = findings.Pair{Original: other, Clone: name}
			}
			s := model.SharedIdentity{Host: other, Original: p.Original == name, Relation: string(g.twins(p, h.known))}
			if g.incidents.Known(model.IncidentHostIdentity, model.HostID(p.Clone)) {
				s.Relation = string(identity.Cloned)
			} else if s.Relation == string(identity.Cloned) {
				s.Relation = string(identity.MayBe) // they are still being looked at
			}
			i.Shared = append(i.Shared, s)
		}
		slices.SortFunc(i.Shared, func(a, b model.SharedIdentity) int { return strings.Compare(a.Host, b.Host) })
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b model.HostIdentity) int { return natural(a.Host, b.Host) })
	return list
}
