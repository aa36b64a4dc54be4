package agent

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"cassini/model"
)

func wired(name string, addresses ...string) model.Interface {
	i := model.Interface{Name: name, Addresses: make(map[string]model.IPConfig)}
	for _, a := range addresses {
		i.Addresses[a] = model.IPConfig{}
	}
	return i
}

// heard is a switch at the other end of a cable.
func heard(name, protocol, chassis string, edit ...func(*model.Neighbor)) model.Neighbor {
	n := model.Neighbor{Interface: name, State: model.NeighborPresent, Discovery: model.Discovery{Protocol: protocol, Chassis: model.PortID{ID: chassis}}}
	if protocol == model.LLDP {
		n.Capabilities, n.Enabled = []string{"bridge", "router"}, []string{"bridge"}
	} else {
		n.Capabilities = []string{"switch", "igmp"}
	}
	for _, do := range edit {
		do(&n)
	}
	return n
}

func server(n *model.Neighbor) {
	n.Capabilities, n.Enabled = []string{"bridge", "station"}, []string{"station"}
}
func silent(n *model.Neighbor)    { n.State = model.NeighborSilent }
func elsewhere(n *model.Neighbor) { n.Netns = "blue" }

func TestZone(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.17")
	eth0 := []model.Interface{wired("lo", "127.0.0.1/8"), wired("eth0", "10.0.0.17/24", "fd00::17/64"), wired("eth1", "10.1.0.17/16")}
	blue := wired("eth0", "10.0.0.17/8")
	blue.Netns = "blue"
	const mac, other = "00:1b:fc:00:00:0a", "00:1b:fc:00:00:0b"
	for what, tc := range map[string]struct {
		addr       netip.Addr
		interfaces []model.Interface
		neighbors  []model.Neighbor
		want       string
	}{
		"nothing is heard":                  {addr, eth0, nil, "subnet:10.0.0.0/24"},
		"IPv6":                              {netip.MustParseAddr("fd00::17"), eth0, nil, "subnet:fd00::/64"},
		"an address of no interface":        {netip.MustParseAddr("10.9.9.9"), eth0, nil, ""},
		"an address of another namespace":   {addr, []model.Interface{blue}, nil, ""},
		"an address that cannot be read":    {addr, []model.Interface{wired("eth0", "10.0.0.17")}, nil, ""},
		"a switch by LLDP":                  {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac)}, "switch:" + mac},
		"a switch by CDP":                   {addr, eth0, []model.Neighbor{heard("eth0", model.CDP, "core-1")}, "switch:core-1"},
		"a bridge by FDP":                   {addr, eth0, []model.Neighbor{heard("eth0", model.FDP, "fes", func(n *model.Neighbor) { n.Capabilities = []string{"bridge"} })}, "switch:fes"},
		"a router by CDP":                   {addr, eth0, []model.Neighbor{heard("eth0", model.CDP, "gw", func(n *model.Neighbor) { n.Capabilities = []string{"router"} })}, "subnet:10.0.0.0/24"},
		"one switch by both protocols":      {addr, eth0, []model.Neighbor{heard("eth0", model.CDP, "core-1"), heard("eth0", model.LLDP, mac)}, "switch:" + mac},
		"a server by LLDP, a switch by CDP": {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, other, server), heard("eth0", model.CDP, "core-1")}, "switch:core-1"},
		"two switches on one port":          {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac), heard("eth0", model.LLDP, other), heard("eth0", model.LLDP, mac)}, "subnet:10.0.0.0/24"},
		"one switch by two of its ports":    {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac), heard("eth0", model.LLDP, mac)}, "switch:" + mac},
		"a switch that came after another":  {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac, silent), heard("eth0", model.LLDP, other)}, "switch:" + other},
		"a server that speaks LLDP":         {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, other, server)}, "subnet:10.0.0.0/24"},
		"a server and a switch":             {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, other, server), heard("eth0", model.LLDP, mac)}, "switch:" + mac},
		"a switch on another interface":     {addr, eth0, []model.Neighbor{heard("eth1", model.LLDP, mac)}, "subnet:10.0.0.0/24"},
		"a switch in another namespace":     {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac, elsewhere)}, "subnet:10.0.0.0/24"},
		"a switch without a name":           {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, "")}, "subnet:10.0.0.0/24"},
		"a nameless switch beside another":  {addr, eth0, []model.Neighbor{heard("eth0", model.LLDP, mac), heard("eth0", model.LLDP, "")}, "switch:" + mac},
	} {
		if got := zone(tc.addr, tc.interfaces, tc.neighbors); got != tc.want {
			t.Errorf("%s: %q, want %q", what, got, tc.want)
		}
	}
}

func TestShort(t *testing.T) {
	for _, name := range []string{"", "switch:core-1", strings.Repeat("x", maxZone)} {
		if got := short(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	known := make(map[string]string)
	for i := range 1000 {
		for _, letter := range []string{"x", "ü", "電", "🚀"} {
			name := "switch:" + strings.Repeat(letter, 30) + fmt.Sprint(i)
			got := short(name)
			if len(got) > maxZone || !utf8.ValidString(got) || !strings.HasPrefix(got, "switch:"+letter) {
				t.Fatalf("%q became %q, of %d bytes", name, got, len(got))
			}
			if other, taken := known[got]; taken {
				t.Fatalf("%q and %q both became %q", name, other, got)
			}
			known[got] = name
			if short(name) != got {
				t.Fatalf("%q is not always the same", name)
			}
		}
	}
}

func TestSubnetOf(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil || len(addrs) == 0 {
		t.Skipf("NOT TRIED: this machine has no addresses: %v", err)
	}
	for _, a := range addrs {
		prefix := netip.MustParsePrefix(a.String())
		if got := subnetOf(prefix.Addr().Unmap()); got != short("subnet:"+prefix.Masked().String()) {
			t.Errorf("%s is of %q", prefix, got)
		}
	}
	if got := subnetOf(netip.MustParseAddr("192.0.2.7")); got != "" {
		t.Errorf("an address of others is of %q", got)
	}
}
