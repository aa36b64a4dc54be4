package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// maxZone is the longest name of a zone, in bytes.
const maxZone = 32

// zone is what this host shares with others that fail with it: the switch that the
// interface with its heartbeat address is wired to, or else the subnet.
func zone(addr netip.Addr, interfaces []model.Interface, neighbors []model.Neighbor) string {
	for _, i := range interfaces {
		if i.Netns != "" {
			continue
		}
		for text := range i.Addresses {
			prefix, err := netip.ParsePrefix(text)
			if err != nil || prefix.Addr().Unmap() != addr {
				continue
			}
			if chassis := chassisOf(i.Name, neighbors); chassis != "" {
				return short("switch:" + chassis)
			}
			return short("subnet:" + prefix.Masked().String())
		}
	}
	return ""
}

// chassisOf is the switch at the other end of an interface's cable. One that speaks several
// protocols has another name in each: LLDP's counts, and then CDP's.
func chassisOf(name string, neighbors []model.Neighbor) string {
	for _, protocol := range []string{model.LLDP, model.CDP, model.FDP} {
		if chassis, heard := chassisBy(protocol, name, neighbors); heard {
			return chassis
		}
	}
	return ""
}

// chassisBy is the same by one protocol. Of several, which changes with every frame behind
// a hub, it is none.
func chassisBy(protocol, name string, neighbors []model.Neighbor) (chassis string, heard bool) {
	for _, n := range neighbors {
		if n.Protocol != protocol || n.Interface != name || n.Netns != "" || n.State != model.NeighborPresent || n.Chassis.ID == "" || !isSwitch(n) {
			continue
		}
		if heard && chassis != n.Chassis.ID {
			return "", true
		}
		chassis, heard = n.Chassis.ID, true
	}
	return chassis, heard
}

// isSwitch says whether a neighbor forwards frames: other servers speak LLDP too.
func isSwitch(n model.Neighbor) bool {
	return slices.Contains(n.Enabled, "bridge") || n.Protocol != model.LLDP && (slices.Contains(n.Capabilities, "switch") || slices.Contains(n.Capabilities, "bridge"))
}

// short keeps a name that is too long apart from others by the beginning of its hash.
func short(name string) string {
	if len(name) <= maxZone {
		return name
	}
	hash := sha256.Sum256([]byte(name))
	begin := strings.ToValidUTF8(name[:maxZone-9], "") // without half a letter
	return begin + "~" + hex.EncodeToString(hash[:4])
}

// subnetOf is the zone of an address without anything that was discovered.
func subnetOf(addr netip.Addr) string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr {
			return short("subnet:" + prefix.Masked().String())
		}
	}
	return ""
}
