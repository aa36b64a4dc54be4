package graph

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

func (w *world) link(host, name, mac string, edit ...func(*model.Interface)) []model.Event {
	w.t.Helper()
	i := model.Interface{Name: name, Kind: "device", Address: mac, MTU: 1500, Up: true, OperState: "up", Carrier: 1, State: model.InterfacePresent}
	for _, f := range edit {
		f(&i)
	}
	return w.put(model.Name{Host: host, Package: model.PackageNetConfig, Key: i.Key()}, i)
}

func (w *world) hears(host, name, protocol, chassis, port string, edit ...func(*model.Neighbor)) []model.Event {
	w.t.Helper()
	n := model.Neighbor{Interface: name, State: model.NeighborPresent, FirstSeen: w.now, Changed: w.now, Discovery: model.Discovery{
		Protocol: protocol, TTL: 120, SourceMAC: "02:00:00:00:99:01",
		Chassis: model.PortID{Kind: kindOf(chassis), ID: chassis}, Port: model.PortID{Kind: kindOf(port), ID: port},
	}}
	for _, f := range edit {
		f(&n)
	}
	return w.put(model.Name{Host: host, Package: model.PackageNeighbors, Key: n.Key()}, n)
}

func kindOf(id string) string {
	if strings.Count(id, ":") == 5 {
		return "mac"
	}
	return "ifname"
}

func addresses(prefixes ...string) func(*model.Interface) {
	return func(i *model.Interface) {
		i.Addresses = make(map[string]model.IPConfig)
		for _, p := range prefixes {
			i.Addresses[p] = model.IPConfig{Scope: "global"}
		}
	}
}

func ended(state string) func(*model.Neighbor) {
	return func(n *model.Neighbor) { n.State, n.Ended = state, n.FirstSeen.Add(time.Minute) }
}

func (w *world) wires() (wires []string) {
	for _, e := range w.Edges(EdgeFilter{Kinds: []string{model.EdgeWiredTo}}) {
		wires = append(wires, e.From+" "+e.To)
	}
	return wires
}

func (w *world) expectWires(want ...string) {
	w.t.Helper()
	if got := w.wires(); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("wires %q, want %q", got, want)
	}
}

func summaries(list []model.Event) (texts []string) {
	for _, e := range list {
		texts = append(texts, e.Kind+": "+e.Summary)
	}
	return texts
}

func (w *world) expectEvents(got []model.Event, want ...string) {
	w.t.Helper()
	if fmt.Sprint(summaries(got)) != fmt.Sprint(want) {
		w.t.Errorf("events %q, want %q", summaries(got), want)
	}
}

const swMAC = "00:1b:fc:00:00:01"

func TestCablesEndInSwitchPorts(t *testing.T) {
	w := newWorld(t)
	w.link("web-17", "eth0", "02:00:00:00:00:01", addresses("10.0.0.7/24", "fe80::7/64"))
	named := func(n *model.Neighbor) { n.SystemName = "core-1" }
	w.expectEvents(w.hears("web-17", "eth0", model.LLDP, swMAC, "Gi0/1", named), "wire.connected: web-17/eth0 is wired to core-1 port Gi0/1 (lldp)")
	w.expectWires("interface:web-17/eth0 switchport:" + swMAC + "/Gi0/1")
	// CDP tells of the same device under another name.
	w.hears("web-17", "eth0", model.CDP, "core-1.example.net", "GigabitEthernet0/1")
	w.expectWires("interface:web-17/eth0 switchport:" + swMAC + "/Gi0/1")
	if ports := w.Ports(PortFilter{}); len(ports) != 1 || fmt.Sprint(ports[0].Protocols) != "[lldp cdp]" || ports[0].PeerID != "switchport:"+swMAC+"/Gi0/1" {
		t.Errorf("ports %+v", ports)
	}
	w.link("db-1", "eth0", "02:00:00:00:00:02")
	w.hears("db-1", "eth0", model.LLDP, swMAC, "Gi0/10", named)
	w.link("db-2", "eth0", "02:00:00:00:00:03")
	w.hears("db-2", "eth0", model.LLDP, swMAC, "Gi0/2", named)
	switches := w.Switches()
	var order []string
	for _, p := range switches[0].Ports {
		order = append(order, p.Host+" "+p.Neighbor.Port.ID)
	}
	if len(switches) != 1 || switches[0].Name != "core-1" || fmt.Sprint(order) != "[web-17 Gi0/1 db-2 Gi0/2 db-1 Gi0/10]" {
		t.Errorf("switches %+v: %v", switches, order)
	}
	for _, f := range []struct{ text, id, where string }{
		{"02:00:00:00:00:01", "interface:web-17/eth0", "web-17/eth0 -> core-1 port Gi0/1"},
		{"02-00-00-00-00-01", "interface:web-17/eth0", "web-17/eth0 -> core-1 port Gi0/1"},
		{"10.0.0.7", "interface:web-17/eth0", "web-17/eth0 -> core-1 port Gi0/1"},
		{"fe80::7%enp3s0", "interface:web-17/eth0", "web-17/eth0 -> core-1 port Gi0/1"}, // as its client's host calls the link
		{"db-2", "host:db-2", "db-2/eth0 -> core-1 port Gi0/2"},
		{"CORE", "switch:" + swMAC, "3 ports with hosts"},
		{swMAC, "switch:" + swMAC, "3 ports with hosts"},
	} {
		if got := w.Find(f.text); len(got) == 0 || !hasFound(got, f.id, f.where) {
			t.Errorf("find %s: %+v, want %s at %s", f.text, got, f.id, f.where)
		}
	}
	if got := w.Find("nobody"); len(got) != 0 {
		t.Errorf("found %+v", got)
	}
}

func hasFound(list []model.Found, id, where string) bool {
	for _, f := range list {
		if f.ID == id && f.Where == where {
			return true
		}
	}
	return false
}

func TestMovedCable(t *testing.T) {
	w := newWorld(t)
	w.link("web-17", "eth0", "02:00:00:00:00:01")
	w.hears("web-17", "eth0", model.LLDP, swMAC, "1")
	w.expectEvents(w.hears("web-17", "eth0", model.LLDP, swMAC, "1", ended(model.NeighborMoved)))
	w.expectWires()
	moved := "web-17/eth0 is wired to " + swMAC + " port 2 instead of " + swMAC + " port 1 (lldp)"
	w.expectEvents(w.hears("web-17", "eth0", model.LLDP, swMAC, "2"), "wire.moved: "+moved, "incident.opened: "+moved)
	w.expectEvents(w.hears("web-17", "eth0", model.LLDP, swMAC, "2", ended(model.NeighborSilent)), "wire.lost: web-17/eth0 no longer hears "+swMAC+" port 2 (lldp): it was not heard for the 120 s that it promised")
	if ports := w.Ports(PortFilter{}); len(ports) != 0 {
		t.Errorf("ports %+v", ports)
	}
	if ports := w.Ports(PortFilter{Ended: true}); len(ports) != 2 || ports[0].State == model.NeighborPresent {
		t.Errorf("ended ports %+v", ports)
	}
}

// Two hosts with agents on one cable are wired to each other, and no switch is made up.
func TestHostToHost(t *testing.T) {
	for _, c := range []struct{ name, chassis, port string }{
		{"by the port's address", "02:00:00:00:00:99", "02:00:00:00:00:02"},
		{"by chassis and port name", "02:00:00:00:00:03", "eth1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.hears("a", "eth0", model.LLDP, c.chassis, c.port) // before b is known
			w.link("a", "eth0", "02:00:00:00:00:01")
			w.link("b", "eth1", "02:00:00:00:00:02")
			w.link("b", "eth2", "02:00:00:00:00:03")
			w.expectWires("interface:a/eth0 interface:b/eth1")
			if s := w.Switches(); len(s) != 0 {
				t.Errorf("switches %+v", s)
			}
		})
	}
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01")
	w.hears("a", "eth0", model.LLDP, "02:00:00:00:00:99", "02:00:00:00:00:99", func(n *model.Neighbor) { n.Enabled = []string{"station"} })
	w.expectWires("interface:a/eth0 unknown-host:02:00:00:00:00:99")
}

func TestInterfaceEvents(t *testing.T) {
	w := newWorld(t)
	mac := "02:00:00:00:00:01"
	w.link("web-17", "eth0", mac, addresses("10.0.0.7/24"))
	w.expectEvents(w.link("web-17", "eth0", mac, addresses("10.0.0.8/24")), "address.added: web-17/eth0 has address 10.0.0.8/24", "address.removed: web-17/eth0 has no longer address 10.0.0.7/24")
	w.expectEvents(w.link("web-17", "eth0", mac, addresses("10.0.0.8/24"), func(i *model.Interface) { i.Carrier = 0 }), "link.down: web-17/eth0 lost its carrier")
	w.expectEvents(w.link("web-17", "eth0", mac, addresses("10.0.0.8/24")), "link.up: web-17/eth0 has a carrier")
	w.expectEvents(w.link("web-17", "eth0", mac, addresses("10.0.0.8/24"), func(i *model.Interface) { i.MTU = 9000 }), "link.changed: web-17/eth0 has MTU 9000 instead of 1500")
	if nodes := w.Nodes(NodeFilter{Kinds: []string{model.KindIP, model.KindSubnet}}); len(nodes) != 2 || nodes[0].ID != "ip:10.0.0.8" || nodes[1].ID != "subnet:10.0.0.0/24" {
		t.Errorf("nodes %+v", nodes)
	}
	w.expectEvents(w.link("web-17", "eth0", mac, func(i *model.Interface) { i.State = model.InterfaceGone }), "link.down: web-17/eth0 is gone")
	if nodes := w.Nodes(NodeFilter{Kinds: []string{model.KindInterface, model.KindIP, model.KindSubnet, model.KindMAC}}); len(nodes) != 0 {
		t.Errorf("left %+v", nodes)
	}
}

// An address of an interface tells whose the other end of a dependency is.
func TestInterfacesTellWhoseAnAddressIs(t *testing.T) {
	w := newWorld(t)
	w.listen("db-1", "/usr/bin/postgres", "0.0.0.0", 5432)
	w.link("db-1", "eth0", "02:00:00:00:00:02", addresses("10.0.0.9/24"))
	w.put(model.Name{Host: "web-17", Package: model.PackageDependencies, Key: "x"}, model.Dependency{
		Direction: model.Out, Proto: "tcp", Process: proc("/usr/bin/app", 7), Client: netip.MustParseAddr("10.0.0.7"), Server: netip.MustParseAddr("10.0.0.9"), Port: 5432,
		Counters: model.Counters{Connections: 1}, FirstSeen: w.now, LastSeen: w.now,
	})
	edges := w.Edges(EdgeFilter{Kinds: []string{model.EdgeDependsOn}})
	if len(edges) != 1 || edges[0].To != "service:db-1/postgres:5432" {
		t.Errorf("edges %+v", edges)
	}
}

func TestDifferences(t *testing.T) {
	mau := func(name string) model.Discovery {
		return model.Discovery{Protocol: model.LLDP, MACPHY: &model.MACPHY{MAU: name}}
	}
	eth := model.Interface{Kind: "device", MTU: 1500, Speed: 1000, Duplex: "full"}
	for _, c := range []struct {
		name string
		d    model.Discovery
		want string
	}{
		{"alike", mau("1000BaseTFD"), "[]"},
		{"duplex", mau("1000BaseTHD"), "[duplex: full here, half there]"},
		{"speed and duplex", mau("b100BaseTXHD"), "[duplex: full here, half there speed: 1000 Mbit/s here, 100 there]"},
		{"ten gigabit", mau("10GigBaseSR"), "[speed: 1000 Mbit/s here, 10000 there]"},
		{"unknown", mau("other"), "[]"},
		{"frames that do not fit", model.Discovery{Protocol: model.LLDP, MTU: 1500}, "[MTU: frames of 1518 bytes here, at most 1500 there]"},
		{"frames that fit", model.Discovery{Protocol: model.LLDP, MTU: 1522}, "[]"},
		{"CDP", model.Discovery{Protocol: model.CDP, MTU: 1400, Duplex: "half"}, "[duplex: full here, half there MTU: 1500 here, 1400 there]"},
	} {
		if got := fmt.Sprint(differences(eth, c.d)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Whoever holds a cable can invent neighbors; what is remembered of them is bounded.
func TestEndedNeighborsAreBounded(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01")
	for i := range endedNeighbors + 50 {
		w.hears("a", "eth0", model.LLDP, fmt.Sprintf("false-%d", i), "1", ended(model.NeighborSilent), func(n *model.Neighbor) { n.Ended = w.now })
	}
	ports := w.Ports(PortFilter{Ended: true})
	if len(ports) > endedNeighbors || len(ports) < endedNeighbors*9/10 || ports[0].Neighbor.Chassis.ID == "false-0" {
		t.Errorf("%d remembered", len(ports))
	}
}
