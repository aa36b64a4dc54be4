package wiring

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cassini/model"
)

// Actual is what is known of an estate's cables.
type Actual struct {
	Ports      []model.Port // neighbors that are heard
	Interfaces []model.HostInterface
	Hosts      []string // that have an agent
}

// Compare holds what is heard against a plan. With host only its cables.
func Compare(p Plan, a Actual, host string) model.Cabling {
	c := comparison{at: make(map[string][]model.Port), planned: make(map[string][]model.PlannedCable), actual: a}
	for _, port := range a.Ports {
		if port.Neighbor != nil && port.State == model.NeighborPresent {
			c.at[key(port.Host, near(port))] = append(c.at[key(port.Host, near(port))], port)
			c.heard = append(c.heard, port)
		}
	}
	hosts := make(map[string]bool)
	for _, cable := range p.Cables {
		hosts[cable.Host] = true
		c.planned[key(cable.Host, cable.Interface)] = append(c.planned[key(cable.Host, cable.Interface)], cable)
	}
	c.index()
	out := model.Cabling{Counts: make(map[string]int), Cables: []model.CableCheck{}}
	for _, state := range model.CableStates() {
		out.Counts[state] = 0
	}
	add := func(check model.CableCheck) {
		if host == "" || host == check.Host {
			out.Counts[check.State]++
			out.Cables = append(out.Cables, check)
		}
	}
	for _, cable := range p.Cables {
		add(c.check(cable))
	}
	for _, port := range c.heard {
		if c.planned[key(port.Host, near(port))] == nil && (!p.Partial || hosts[port.Host]) {
			e := end(port)
			add(model.CableCheck{Host: port.Host, Interface: near(port), State: model.CableUnplanned, Actual: &e, Note: c.plannedFor(port)})
		}
	}
	slices.SortStableFunc(out.Cables, func(x, y model.CableCheck) int {
		return cmp.Or(strings.Compare(x.Host, y.Host), strings.Compare(x.Interface, y.Interface))
	})
	return out
}

// comparison is both sides by what they are looked up by.
type comparison struct {
	actual  Actual
	heard   []model.Port
	at      map[string][]model.Port         // by near end
	planned map[string][]model.PlannedCable // by near end
	// Indices of both sides by what all names of one far end share: the switch's name
	// without its domain, and the digits of the port. The rest is compared.
	heardAt, plannedAt map[string][]int
	cables             []model.PlannedCable
	interfaces         map[string]model.HostInterface
	hosts              map[string]bool
}

func key(host, iface string) string { return host + "\x00" + iface }

func (c *comparison) index() {
	c.heardAt, c.plannedAt = make(map[string][]int), make(map[string][]int)
	for i, p := range c.heard {
		for _, k := range farKeys(p) {
			c.heardAt[k] = append(c.heardAt[k], i)
		}
	}
	for _, list := range c.planned {
		c.cables = append(c.cables, list...)
	}
	slices.SortFunc(c.cables, func(a, b model.PlannedCable) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Interface, b.Interface), strings.Compare(a.Port, b.Port))
	})
	for i, cable := range c.cables {
		k := farKey(cable.Switch, cable.Port)
		c.plannedAt[k] = append(c.plannedAt[k], i)
	}
	c.interfaces, c.hosts = make(map[string]model.HostInterface), make(map[string]bool)
	for _, i := range c.actual.Interfaces {
		_, label, _ := strings.Cut(i.ID, "/")
		c.interfaces[key(i.Host, label)] = i
	}
	for _, h := range c.actual.Hosts {
		c.hosts[h] = true
	}
}

// check holds one planned cable against what is heard there.
func (c *comparison) check(cable model.PlannedCable) model.CableCheck {
	expected := cable.CableEnd
	out := model.CableCheck{Host: cable.Host, Interface: cable.Interface, State: model.CableMissing, Expected: &expected, Line: cable.Line}
	var notes []string
	for _, p := range c.at[key(cable.Host, cable.Interface)] {
		state := model.CableWrongSwitch
		if sameSwitch(cable.Switch, p) {
			if state = model.CableWrongPort; samePort(cable.Port, p) {
				state = model.CableRight
			}
		}
		if out.Actual == nil || better(state, out.State) {
			e := end(p)
			out.State, out.Actual = state, &e
			notes = []string{c.plannedFor(p)}
		}
	}
	if out.State == model.CableRight {
		return out
	}
	if out.State == model.CableMissing {
		notes = []string{c.silence(cable)}
	}
	notes = append(notes, c.whoIsAt(cable))
	out.Note = strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
	return out
}

// better orders what several neighbors of one interface make of a cable.
func better(a, b string) bool {
	states := model.CableStates()
	return slices.Index(states, a) < slices.Index(states, b)
}

// silence says why nothing is heard on an interface, as far as that is known.
func (c *comparison) silence(cable model.PlannedCable) string {
	i, known := c.interfaces[key(cable.Host, cable.Interface)]
	switch {
	case !c.hosts[cable.Host]:
		return "no agent reports from " + cable.Host
	case !known:
		return cable.Host + " has no interface " + cable.Interface
	case !i.Up:
		return "the interface is not set up"
	case i.Carrier == 0:
		return "the interface has no carrier"
	}
	return "the link is up and says nothing of itself: LLDP or CDP may be off at the other end"
}

// whoIsAt says whose cable is where a planned one should be.
func (c *comparison) whoIsAt(cable model.PlannedCable) string {
	for _, i := range c.heardAt[farKey(cable.Switch, cable.Port)] {
		p := c.heard[i]
		if key(p.Host, near(p)) != key(cable.Host, cable.Interface) && sameSwitch(cable.Switch, p) && samePort(cable.Port, p) {
			return fmt.Sprintf("%s %s is in %s %s", p.Host, near(p), cable.Switch, cable.Port)
		}
	}
	return ""
}

// plannedFor says for whom the plan has the port that a cable is in.
func (c *comparison) plannedFor(p model.Port) string {
	var candidates []int
	for _, k := range farKeys(p) {
		candidates = append(candidates, c.plannedAt[k]...)
	}
	for _, i := range candidates {
		cable := c.cables[i]
		if key(p.Host, near(p)) != key(cable.Host, cable.Interface) && sameSwitch(cable.Switch, p) && samePort(cable.Port, p) {
			e := end(p)
			return fmt.Sprintf("%s %s is planned for %s %s", e.Switch, e.Port, cable.Host, cable.Interface)
		}
	}
	return ""
}

// Export makes a plan of what is heard: one cable for each interface and far end.
func Export(ports []model.Port, host string) []model.PlannedCable {
	list := []model.PlannedCable{}
	for _, p := range ports {
		if p.Neighbor == nil || p.State != model.NeighborPresent || host != "" && host != p.Host {
			continue
		}
		c := model.PlannedCable{Host: p.Host, Interface: near(p), CableEnd: end(p)}
		if c.Switch == "" || c.Port == "" || len(list) > 0 && list[len(list)-1].Host == c.Host && list[len(list)-1].Interface == c.Interface {
			continue // an interface has one cable: the first of several that it hears
		}
		list = append(list, c)
	}
	return list
}
