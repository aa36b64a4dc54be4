package frames

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cassini/manager/graph"
	"cassini/model"
)

// Twenty hosts on four switches: the graph equals the wiring, and follows it.
func TestEstate(t *testing.T) {
	const switches, ports = 4, 5
	var hosts, want []string
	sw := make([]string, switches)
	for s := range switches {
		sw[s] = machine(t, fmt.Sprintf("sw%d", s))
		ip(t, "-n "+sw[s]+" link add br0 type bridge")
		ip(t, "-n "+sw[s]+" link set br0 up")
		for p := range ports {
			host := machine(t, fmt.Sprintf("h%d%d", s, p))
			hosts = append(hosts, host)
			cable(t, host, "eth0", sw[s], fmt.Sprintf("p%d", p))
			ip(t, fmt.Sprintf("-n %s link set p%d master br0", sw[s], p))
			want = append(want, fmt.Sprintf("h%d%d/eth0 core-%d/p%d", s, p, s, p))
		}
	}
	e := newEstate(t, hosts...)
	for s := range switches {
		speak(t, sw[s], fmt.Sprintf("core-%d", s))
	}
	e.expectWires("all cables", want)
	all := e.Switches()
	if len(all) != switches {
		t.Errorf("%d switches: %+v", len(all), all)
	}
	for _, s := range all {
		if len(s.Ports) != ports {
			t.Errorf("%s has %d ports", s.Name, len(s.Ports))
		}
	}

	began := time.Now()
	ip(t, "-n "+sw[0]+" link set p0 down")
	e.expectWires("a link that is down", want[1:])
	t.Logf("link down: in the graph after %v", time.Since(began).Round(time.Millisecond))
	if !e.heard(model.EventLinkDown, "h00/eth0 lost its carrier") || !e.heard(model.EventWireLost, "h00/eth0 no longer hears core-0 port p0") {
		t.Errorf("events: %+v", e.seen)
	}
	ip(t, "-n "+sw[0]+" link set p0 up")
	e.expectWires("the link is up again", want)

	began = time.Now()
	ip(t, "-n "+sw[0]+" link del p1")
	cable(t, hosts[1], "eth0", sw[3], "p9")
	moved := slices.Clone(want)
	moved[1] = "h01/eth0 core-3/p9"
	e.expectWires("a cable that was moved", moved)
	t.Logf("cable moved: in the graph after %v", time.Since(began).Round(time.Millisecond))

	began = time.Now()
	ip(t, "-n "+hosts[2]+" link set eth0 mtu 9000")
	ip(t, "-n "+hosts[2]+" addr add 10.9.0.2/24 dev eth0")
	eventually(t, "MTU and address", func() bool {
		return e.heard(model.EventLinkChanged, "h02/eth0 has MTU 9000 instead of 1500") && e.heard(model.EventAddressAdded, "h02/eth0 has address 10.9.0.2/24")
	})
	t.Logf("MTU and address: told after %v", time.Since(began).Round(time.Millisecond))
	if found := e.Find("10.9.0.2"); len(found) != 1 || found[0].Where != "h02/eth0 -> core-0 port p2" {
		t.Errorf("found %+v", found)
	}
}

// A host whose uplink is a port of its own bridge hears both protocols there, and
// both tell of one cable.
func TestBothProtocolsOnABridgePort(t *testing.T) {
	sw, host := machine(t, "sw"), machine(t, "host")
	cable(t, host, "eth0", sw, "p1")
	ip(t, "-n "+sw+" link add br0 type bridge") // else it calls itself a station
	ip(t, "-n "+sw+" link set br0 up")
	ip(t, "-n "+sw+" link set p1 master br0")
	ip(t, "-n "+host+" link add br0 type bridge")
	ip(t, "-n "+host+" link set br0 up")
	ip(t, "-n "+host+" link set eth0 master br0")
	e := newEstate(t, host)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("frames %+v, filter %+v, ports %+v", e.hosts[host].Stats(), counters(t, e.filter(host)), e.Ports(graph.PortFilter{}))
		}
	})
	speak(t, sw, "core", "-ccccc", "-l") // both, without waiting for another
	eventually(t, "LLDP and CDP", func() bool {
		ports := e.Ports(graph.PortFilter{})
		return len(ports) == 1 && ports[0].Interface == "eth0" && fmt.Sprint(ports[0].Protocols) == "[lldp cdp]"
	})
	if got := e.Switches(); len(got) != 1 || got[0].Name != "core" || len(got[0].Ports) != 1 {
		t.Errorf("switches %+v", got)
	}
	frames := e.hosts[host].Stats()
	if frames.Malformed["lldp"]+frames.Malformed["cdp"] != 0 || frames.Neighbors != 2 {
		t.Errorf("%+v", frames)
	}
	ip(t, "-n "+host+" link set eth0 nomaster")
	before := e.hosts[host].Stats().Frames
	eventually(t, "both protocols when it is no port any more", func() bool {
		now := e.hosts[host].Stats().Frames
		return now["lldp"] > before["lldp"] && now["cdp"] > before["cdp"]
	})
}

// The other protocols that lldpd speaks and Cassini reads, each alone.
func TestOtherProtocols(t *testing.T) {
	for _, c := range []struct {
		name         string
		flags        []string
		want         string
		version      int
		capabilities string
	}{
		{"CDP version 1", []string{"-cc"}, model.CDP, 1, "[switch host]"},
		{"CDP version 2", []string{"-ccccc"}, model.CDP, 2, "[switch host]"},
		{"FDP", []string{"-ff"}, model.FDP, 1, "[switch]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sw, host := machine(t, "sw"), machine(t, "host")
			cable(t, host, "eth0", sw, "p1")
			ip(t, "-n "+sw+" link add br0 type bridge") // else it calls itself a station
			ip(t, "-n "+sw+" link set br0 up")
			ip(t, "-n "+sw+" link set p1 master br0")
			e := newEstate(t, host)
			speak(t, sw, "core", append(c.flags, "-ll")...)
			eventually(t, c.want, func() bool {
				ports := e.Ports(graph.PortFilter{})
				return len(ports) == 1 && ports[0].Neighbor.Protocol == c.want && ports[0].Neighbor.Version == c.version
			})
			d := e.Ports(graph.PortFilter{})[0].Neighbor
			if d.Chassis.ID != "core" || d.Port.ID != "p1" || len(d.Problems) != 0 || len(d.Unknown) != 0 || d.Platform == "" || fmt.Sprint(d.Capabilities) != c.capabilities {
				t.Errorf("%+v", d)
			}
			if got := e.Switches(); len(got) != 1 || got[0].Name != "core" {
				t.Errorf("switches %+v", got)
			}
			if stats := e.hosts[host].Stats(); stats.Malformed[c.want] != 0 || stats.Frames[c.want] == 0 {
				t.Errorf("%+v", stats)
			}
		})
	}
}

// A device that says goodbye, and one that just falls silent.
func TestSilence(t *testing.T) {
	sw, host := machine(t, "sw"), machine(t, "host")
	cable(t, host, "eth0", sw, "p1")
	e := newEstate(t, host)
	t.Run("goodbye", func(t *testing.T) {
		speak(t, sw, "core")
		e.expectWires("heard", []string{"host/eth0 core/p1"})
	}) // lldpd ends with the subtest
	e.expectWires("after its goodbye", nil)
	if !e.heard(model.EventWireLost, "it said that it stops") {
		t.Errorf("events %+v", e.seen)
	}
	send(t, sw, "p1", lldp("aa:bb:cc:00:00:01", "Gi0/7", 1))
	e.expectWires("heard again", []string{"host/eth0 /Gi0/7"})
	e.expectWires("after its own TTL", nil)
	if !e.heard(model.EventWireLost, "not heard for the 1 s that it promised") {
		t.Errorf("events %+v", e.seen)
	}
}
