package graph

import (
	"fmt"
	"slices"
	"strings"

	"cassini/model"
)

// frameOverhead is what an Ethernet header and its checksum add to the MTU, in
// bytes; a VLAN tag adds four more (IEEE 802.3, 79.3.4).
const frameOverhead = 18

// differences tells where what both ends say does not fit.
func differences(i model.Interface, d model.Discovery) (list []string) {
	duplex, speed := d.Duplex, uint32(0)
	if d.MACPHY != nil {
		if s, full, ok := mauSpeed(d.MACPHY.MAU); ok {
			speed = s
			duplex = map[bool]string{true: "full", false: "half"}[full]
		}
	}
	if i.Duplex != "" && duplex != "" && i.Duplex != duplex {
		list = append(list, fmt.Sprintf("duplex: %s here, %s there", i.Duplex, duplex))
	}
	if i.Speed != 0 && speed != 0 && i.Speed != speed {
		list = append(list, fmt.Sprintf("speed: %d Mbit/s here, %d there", i.Speed, speed))
	}
	if d.MACPHY != nil && d.MACPHY.Supported && i.Speed != 0 && i.Kind == "device" && d.MACPHY.Enabled != i.Autonegotiation {
		list = append(list, fmt.Sprintf("autonegotiation: %s here, %s there", onOff(i.Autonegotiation), onOff(d.MACPHY.Enabled)))
	}
	if d.Protocol == model.LLDP && d.MTU != 0 && uint32(i.MTU)+frameOverhead > d.MTU {
		list = append(list, fmt.Sprintf("MTU: frames of %d bytes here, at most %d there", i.MTU+frameOverhead, d.MTU))
	}
	if d.Protocol != model.LLDP && d.MTU != 0 && uint32(i.MTU) > d.MTU {
		list = append(list, fmt.Sprintf("MTU: %d here, %d there", i.MTU, d.MTU))
	}
	return list
}

// vlanDifferences tells which VLANs the host tags and the port does not carry, where the
// port lists those that it carries: many name no more than the untagged one.
func vlanDifferences(tagged []int, d model.Discovery) (list []string) {
	carried := make(map[int]bool)
	for _, v := range d.VLANs {
		carried[int(v.ID)] = true
	}
	lists := len(carried) > 1 || len(carried) == 1 && !carried[int(d.PortVLAN)]
	slices.Sort(tagged)
	for _, v := range slices.Compact(tagged) {
		switch {
		case v == int(d.PortVLAN):
			list = append(list, fmt.Sprintf("VLAN: %d has a tag here, none there", v))
		case lists && !carried[v]:
			list = append(list, fmt.Sprintf("VLAN: %d here, not there", v))
		}
	}
	return list
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// mauSpeed reads speed in Mbit/s and duplex from a MAU type's name (RFC 4836), e.g.
// "1000BaseTFD" or "dot3MauType100BaseTXHD".
func mauSpeed(name string) (speed uint32, full, ok bool) {
	text := strings.ToLower(name)
	for _, cut := range []string{"dot3mautype", "b", "mau"} {
		if cut != "b" || strings.HasPrefix(text, "b1") {
			text = strings.TrimPrefix(text, cut)
		}
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		speed = speed*10 + uint32(text[digits]-'0')
		digits++
	}
	rest := text[digits:]
	if digits == 0 || digits > 6 || !strings.Contains(rest, "base") {
		return 0, false, false
	}
	if strings.HasPrefix(rest, "gig") || strings.HasPrefix(rest, "gbase") {
		speed *= 1000
	}
	full = !strings.HasSuffix(rest, "hd")
	return speed, full, strings.HasSuffix(rest, "fd") || strings.HasSuffix(rest, "hd") || speed > 1000
}
