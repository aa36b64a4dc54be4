package view

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Switches lays out switches with how many hosts are on them.
func Switches(switches []model.Switch) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "SWITCH"}, {Title: "CHASSIS"}, {Title: "MANAGEMENT"}, {Title: "PORTS", Right: true}, {Title: "HOSTS", Right: true},
		{Title: "CAPABILITIES", Optional: true}, {Title: "DESCRIPTION", Flex: true},
	}}
	for _, s := range switches {
		hosts, ports := map[string]bool{}, map[string]bool{}
		for _, p := range s.Ports {
			hosts[p.Host], ports[p.PeerID] = true, true
		}
		table.Add(output.Plain, output.Text(orDash(s.Name), s.Chassis.ID, orDash(first(s.Management)), strconv.Itoa(len(ports)),
			strconv.Itoa(len(hosts)), orDash(strings.Join(s.Capabilities, ",")), oneLine(s.Platform+" "+s.Description))...)
	}
	return table
}

// Ports lays out cables: the host's end, then the other end.
func Ports(ports []model.Port, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "INTERFACE"}, {Title: "SWITCH"}, {Title: "PORT"}, {Title: "DESCRIPTION", Flex: true, Optional: true}, {Title: "VLAN", Right: true},
		{Title: "LINK"}, {Title: "STATE"}, {Title: "SINCE"}, {Title: "DIFFERENCES", Flex: true},
	}}
	for _, p := range ports {
		state, style, at := output.Cell{Text: p.State}, output.Plain, p.Since
		switch {
		case p.State == model.NeighborPresent:
			state.Style = output.Green
		default:
			style, at = output.Dim, p.Ended
		}
		table.Add(style, output.Cell{Text: strings.TrimPrefix(p.ID, model.KindInterface+":")}, output.Cell{Text: deviceName(p.Neighbor)}, output.Cell{Text: p.Neighbor.Port.ID},
			output.Cell{Text: oneLine(p.Neighbor.PortDescr)}, output.Cell{Text: vlan(p.Neighbor)}, output.Cell{Text: linkText(p.Carrier, p.Speed, p.Duplex)},
			state, output.Cell{Text: output.Ago(at, now)}, output.Cell{Text: strings.Join(p.Differences, "; "), Style: output.Red})
	}
	return table
}

// Neighbors lays out what devices say of themselves.
func Neighbors(ports []model.Port) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "INTERFACE"}, {Title: "BY"}, {Title: "DEVICE"}, {Title: "CHASSIS"}, {Title: "PORT"}, {Title: "MANAGEMENT"},
		{Title: "CAPABILITIES", Optional: true}, {Title: "TTL", Right: true}, {Title: "DESCRIPTION", Flex: true},
	}}
	for _, p := range ports {
		n := p.Neighbor
		capabilities := n.Enabled
		if len(capabilities) == 0 {
			capabilities = n.Capabilities
		}
		management := ""
		if len(n.Management) > 0 {
			management = n.Management[0].Address
		}
		table.Add(output.Plain, output.Text(strings.TrimPrefix(p.ID, model.KindInterface+":"), strings.Join(p.Protocols, ","), deviceName(n), n.Chassis.ID, n.Port.ID, orDash(management),
			orDash(strings.Join(capabilities, ",")), strconv.Itoa(int(n.TTL)), oneLine(n.Platform+" "+n.SystemDescr))...)
	}
	return table
}

// Interfaces lays out interfaces.
func Interfaces(list []model.HostInterface) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "INTERFACE"}, {Title: "KIND"}, {Title: "STATE"}, {Title: "LINK"}, {Title: "MTU", Right: true}, {Title: "FLAPS", Right: true},
		{Title: "ADDRESS"}, {Title: "ON", Optional: true}, {Title: "DRIVER", Optional: true}, {Title: "ADDRESSES", Flex: true},
	}}
	for _, i := range list {
		state, style := output.Cell{Text: "up", Style: output.Green}, output.Plain
		switch {
		case !i.Up:
			state, style = output.Cell{Text: "off"}, output.Dim
		case i.Carrier == 0:
			state = output.Cell{Text: "no carrier", Style: output.Red}
		}
		prefixes := make([]string, 0, len(i.Addresses))
		for prefix := range i.Addresses {
			prefixes = append(prefixes, prefix)
		}
		slices.Sort(prefixes)
		on := i.Master
		if on == "" {
			on = i.Parent
		}
		table.Add(style, output.Cell{Text: strings.TrimPrefix(i.ID, model.KindInterface+":")}, output.Cell{Text: i.Kind}, state, output.Cell{Text: linkText(i.Up && i.Carrier != 0, i.Speed, i.Duplex)},
			output.Cell{Text: strconv.Itoa(i.MTU)}, output.Cell{Text: strconv.Itoa(int(i.CarrierChanges / 2))}, output.Cell{Text: orDash(i.Address)},
			output.Cell{Text: orDash(on)}, output.Cell{Text: orDash(i.Driver)}, output.Cell{Text: strings.Join(prefixes, " ")})
	}
	return table
}

// Strangers lays out machines without an agent.
func Strangers(list []model.Stranger, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "MAC"}, {Title: "VENDOR", Flex: true}, {Title: "NAME"}, {Title: "ROLE"}, {Title: "ADDRESSES", Flex: true},
		{Title: "FIRST SEEN"}, {Title: "SEEN BY", Flex: true}, {Title: "SYSTEM", Flex: true, Optional: true},
	}}
	for _, s := range list {
		var roles []string
		for role, is := range map[string]bool{"router": s.Router, "dhcp": s.DHCPServer, "pxe": s.PXE} {
			if is {
				roles = append(roles, role)
			}
		}
		slices.Sort(roles)
		table.Add(output.Plain, output.Text(s.MAC, orDash(s.Vendor), orDash(s.Name), orDash(strings.Join(roles, ",")),
			strings.Join(s.Addresses, " "), output.Ago(s.FirstSeen, now), strings.Join(slices.Concat(s.SeenBy, s.Ports), " "), s.System)...)
	}
	return table
}

// Found lays out the answers to a search.
func Found(found []model.Found) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "FOUND"}, {Title: "BY"}, {Title: "WHERE", Flex: true}}}
	for _, f := range found {
		table.Add(output.Plain, output.Text(f.ID, f.What, orDash(f.Where))...)
	}
	return table
}

func deviceName(d *model.Discovery) string {
	if d.SystemName != "" {
		return d.SystemName
	}
	return d.Chassis.ID
}

func vlan(d *model.Discovery) string {
	if d.PortVLAN == 0 {
		return "-"
	}
	return strconv.Itoa(int(d.PortVLAN))
}

// linkText is "1G full": the speed and duplex of a link that has a carrier.
func linkText(carrier bool, speed uint32, duplex string) string {
	switch {
	case !carrier:
		return "down"
	case speed == 0:
		return "up"
	case speed%1000 == 0:
		return strings.TrimSpace(fmt.Sprintf("%dG %s", speed/1000, duplex))
	}
	return strings.TrimSpace(fmt.Sprintf("%dM %s", speed, duplex))
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
