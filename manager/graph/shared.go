package graph

import (
	"cmp"
	"slices"
	"strings"

	"cassini/model"
)

// Shared tells what two hosts have in common, sorted from the wire up. unknown is the
// first of them that is not known.
func (g *Graph) Shared(a, b string) (list []model.Shared, unknown string) {
	list = []model.Shared{}
	g.read(func(v *view) {
		ofA, ofB := v.named(model.HostID(a)), v.named(model.HostID(b))
		switch {
		case ofA == nil:
			unknown = a
			return
		case ofB == nil:
			unknown = b
			return
		}
		mine, theirs := v.belongings(ofA), v.belongings(ofB)
		for at, how := range mine {
			if others := theirs[at]; others != nil {
				list = append(list, model.Shared{Kind: at.kind, ID: at.id, Name: at.name, A: tidy(how), B: tidy(others)})
			}
		}
	})
	slices.SortFunc(list, func(a, b model.Shared) int {
		return cmp.Or(cmp.Compare(rank(a.Kind), rank(b.Kind)), natural(a.ID, b.ID))
	})
	return list, unknown
}

// belonging is something that a host hangs on.
type belonging struct{ kind, id, name string }

const kindGateway = "gateway"

// rank orders kinds from the wire up.
func rank(kind string) int {
	return slices.Index([]string{model.KindInterface, model.KindSwitchPort, model.KindSwitch, model.KindVLAN, model.KindSubnet, kindGateway, model.KindService}, kind)
}

func tidy(texts []string) []string {
	slices.SortFunc(texts, natural)
	return slices.Compact(texts)
}

// belongings are what a host hangs on, and how it comes by each.
func (v *view) belongings(host *node) map[belonging][]string {
	all := make(map[belonging][]string)
	add := func(kind, id, name, how string) {
		at := belonging{kind, id, name}
		all[at] = append(all[at], how)
	}
	for _, e := range host.out() {
		switch e.kind {
		case edgeOwns:
			v.below(e.to, add)
		case edgeHas: // a process
			for _, d := range e.to.out() {
				if d.kind == edgeDependsOn && d.to.host() != host.host() {
					add(model.KindService, d.to.id, strings.TrimPrefix(d.to.id, model.KindService+":"), strings.TrimPrefix(e.to.id, model.KindProcess+":"))
				}
			}
		}
	}
	return all
}

// below are the things that an interface hangs on.
func (v *view) below(here *node, add func(kind, id, name, how string)) {
	label := here.iface().label()
	for _, e := range here.out() {
		switch e.kind {
		case edgeWiredTo:
			v.cable(e.to, label, add)
		case edgeIn:
			add(model.KindVLAN, e.to.id, "VLAN "+e.to.text(), label)
		case edgeHas:
			for _, in := range e.to.out() {
				if in.kind == edgeIn {
					add(model.KindSubnet, in.to.id, in.to.text(), label+" "+e.to.addr().String())
				}
			}
		}
	}
	for _, gateway := range here.iface().DefaultGateways {
		if !gateway.IsLinkLocalUnicast() {
			add(kindGateway, gateway.String(), gateway.String(), label)
		}
	}
}

// cable is where a wire ends: in a port of a switch, or at another host.
func (v *view) cable(end *node, label string, add func(kind, id, name, how string)) {
	if end.kind != nodeSwitchPort {
		return
	}
	add(model.KindSwitchPort, end.id, end.says().title(), label)
	for _, e := range end.in() {
		if e.from.kind == nodeSwitch {
			add(model.KindSwitch, e.from.id, or(end.says().SystemName, end.says().Chassis.ID), label+" port "+end.says().Port.ID)
		}
	}
	for _, e := range end.out() {
		if e.kind == edgeIn {
			add(model.KindVLAN, e.to.id, "VLAN "+e.to.text(), label+" port "+end.says().Port.ID)
		}
	}
}

// Uplinks are how hosts are joined to switches, sorted by host. What one failure cuts
// off stands in Risk.
func (g *Graph) Uplinks(host string) []model.Uplinks {
	list := []model.Uplinks{}
	g.read(func(v *view) {
		for n := range v.byID() {
			if n.kind == nodeHost && n.facts() != nil && (host == "" || host == n.host()) {
				list = append(list, v.uplinks(n))
			}
		}
	})
	return list
}

func (v *view) uplinks(host *node) model.Uplinks {
	u := model.Uplinks{Host: host.host(), Ports: []model.Uplink{}, Switches: []string{}, Risk: model.RiskUnknown}
	devices := make(map[string]string)
	for _, owned := range host.out() {
		if owned.kind != edgeOwns {
			continue
		}
		for _, e := range owned.to.out() {
			if e.kind != edgeWiredTo || e.to.kind != nodeSwitchPort {
				continue
			}
			says, here := e.to.says(), owned.to.iface()
			id := model.SwitchID(says.Chassis.ID)
			devices[id] = or(says.SystemName, says.Chassis.ID)
			u.Ports = append(u.Ports, model.Uplink{Interface: here.Name, Master: here.Master, Switch: id, Port: says.Port.ID, Up: here.Carrier != 0})
		}
	}
	slices.SortFunc(u.Ports, func(a, b model.Uplink) int {
		return cmp.Or(natural(a.Interface, b.Interface), strings.Compare(a.Switch, b.Switch))
	})
	for _, name := range devices {
		u.Switches = append(u.Switches, name)
	}
	slices.SortFunc(u.Switches, natural)
	cables := make(map[string]bool)
	for _, p := range u.Ports {
		cables[p.Interface] = true
	}
	switch {
	case len(cables) == 1:
		u.Risk = model.RiskCable
	case len(devices) == 1:
		u.Risk = model.RiskSwitch
	case len(devices) > 1:
		u.Risk = ""
	}
	return u
}
