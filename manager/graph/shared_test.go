package graph

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"cassini/model"
)

// wired is a cable from an interface to a port of a switch.
func (w *world) wired(host, iface, chassis, port string, vlans ...uint16) {
	w.t.Helper()
	n := model.Neighbor{Interface: iface, State: model.NeighborPresent, FirstSeen: w.now, Discovery: model.Discovery{
		Protocol: model.LLDP, SystemName: "sw-" + chassis[len(chassis)-1:], TTL: 120, Enabled: []string{"bridge"},
		Chassis: model.PortID{Kind: "mac", ID: chassis}, Port: model.PortID{Kind: "ifname", ID: port},
	}}
	for i, v := range vlans {
		if i == 0 {
			n.PortVLAN = v
		}
		n.VLANs = append(n.VLANs, model.VLAN{ID: v, Name: fmt.Sprintf("v%d", v)})
	}
	w.put(model.Name{Host: host, Package: model.PackageNeighbors, Key: n.Key()}, n)
}

const (
	switchA = "00:1b:fc:00:00:0a"
	switchB = "00:1b:fc:00:00:0b"
)

func TestShared(t *testing.T) {
	w := newWorld(t)
	gateway := func(i *model.Interface) { i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")} }
	w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"), gateway)
	w.link("b", "eth0", "02:00:00:00:00:02", addresses("10.0.0.2/24"), gateway)
	w.link("c", "eth0", "02:00:00:00:00:03", addresses("10.1.0.3/24"))
	w.wired("a", "eth0", switchA, "p1", 10)
	w.wired("b", "eth0", switchA, "p2", 10)
	w.wired("c", "eth0", switchB, "p3", 20)
	got, unknown := w.Shared("a", "b")
	var lines []string
	for _, s := range got {
		lines = append(lines, fmt.Sprintf("%s %s: %v, %v", s.Kind, s.Name, s.A, s.B))
	}
	want := []string{
		"switch sw-a: [eth0 port p1], [eth0 port p2]",
		"vlan VLAN 10: [eth0 port p1], [eth0 port p2]",
		"subnet 10.0.0.0/24: [eth0 10.0.0.1], [eth0 10.0.0.2]",
		"gateway 10.0.0.254: [eth0], [eth0]",
	}
	if text := strings.ReplaceAll(strings.Join(lines, "\n"), "a/eth0", "eth0"); unknown != "" || strings.ReplaceAll(text, "b/eth0", "eth0") != strings.Join(want, "\n") {
		t.Errorf("shared %q:\n%s\nwant\n%s", unknown, text, strings.Join(want, "\n"))
	}
	if got, unknown := w.Shared("a", "c"); len(got) != 0 || unknown != "" {
		t.Errorf("shared %+v, %q", got, unknown)
	}
	for _, pair := range [][2]string{{"a", "nobody"}, {"nobody", "a"}} {
		if got, unknown := w.Shared(pair[0], pair[1]); got == nil || unknown != "nobody" {
			t.Errorf("%v: %v, %q", pair, got, unknown)
		}
	}
}

// Two hosts that are clients of one service share it.
func TestSharedServices(t *testing.T) {
	w := newWorld(t)
	w.link("db", "eth0", "02:00:00:00:00:09", addresses("10.5.0.9/24"))
	w.listen("db", "/usr/bin/postgres", "10.5.0.9", 5432)
	w.out("a", "/usr/bin/app", "10.1.0.1", "10.5.0.9", 5432, model.Counters{Connections: 1})
	w.out("b", "/usr/bin/job", "10.2.0.1", "10.5.0.9", 5432, model.Counters{Connections: 1})
	got, _ := w.Shared("a", "b")
	if len(got) != 1 || got[0].Kind != model.KindService || !strings.Contains(got[0].Name, "postgres:5432") || len(got[0].A) != 1 || len(got[0].B) != 1 {
		t.Errorf("shared %+v", got)
	}
}

func TestUplinks(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		host   string
		cables [][3]string // interface, chassis, port
		risk   string
	}{
		{"alone", [][3]string{{"eth0", switchA, "p1"}}, model.RiskCable},
		{"bonded", [][3]string{{"eth0", switchA, "p2"}, {"eth1", switchA, "p3"}}, model.RiskSwitch},
		{"safe", [][3]string{{"eth0", switchA, "p4"}, {"eth1", switchB, "p4"}}, ""},
		{"mystery", nil, model.RiskUnknown},
	} {
		w.link(c.host, "lo0", "")
		for i, cable := range c.cables {
			w.link(c.host, cable[0], fmt.Sprintf("02:00:00:%02x:00:%02x", c.host[0], i))
			w.wired(c.host, cable[0], cable[1], cable[2])
		}
		got := w.Uplinks(c.host)
		if len(got) != 1 || got[0].Risk != c.risk || len(got[0].Ports) != len(c.cables) {
			t.Errorf("%s: %+v", c.host, got)
		}
	}
	if all := w.Uplinks(""); len(all) != 4 || fmt.Sprint(all[3].Switches) != "[sw-a sw-b]" {
		t.Errorf("%+v", all)
	}
}

func TestVLANDifferences(t *testing.T) {
	w := newWorld(t)
	sub := func(vlan int) func(*model.Interface) {
		return func(i *model.Interface) { i.Kind, i.VLAN, i.Parent = "vlan", vlan, "eth0" }
	}
	w.link("a", "eth0", "02:00:00:00:00:01")
	w.link("a", "eth0.20", "02:00:00:00:00:01", sub(20))
	w.link("a", "eth0.30", "02:00:00:00:00:01", sub(30))
	for _, c := range []struct {
		vlans []uint16 // of the port, the untagged one first
		want  string
	}{
		{nil, "[]"},
		{[]uint16{10}, "[]"}, // it may not list the others
		{[]uint16{10, 20, 30}, "[]"},
		{[]uint16{10, 20}, "[VLAN: 30 here, not there]"},
		{[]uint16{20, 30}, "[VLAN: 20 has a tag here, none there]"},
	} {
		w.wired("a", "eth0", switchA, "p1", c.vlans...)
		if ports := w.Ports(PortFilter{}); len(ports) != 1 || fmt.Sprint(ports[0].Differences) != c.want {
			t.Errorf("%v: %+v", c.vlans, ports)
		}
	}
	if got := w.Nodes(NodeFilter{Kinds: []string{model.KindVLAN}}); len(got) != 2 || got[0].Attrs["name"] != "v20" {
		t.Errorf("VLANs %+v", got)
	}
}
