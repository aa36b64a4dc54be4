package graph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/manager/findings"
	"cassini/model"
)

func (w *world) sees(host, addr, mac string, edit ...func(*model.Seen)) []model.Event {
	w.t.Helper()
	s := model.Seen{Interface: "eth0", Addr: netip.MustParseAddr(addr), MAC: mac, FirstSeen: w.now, Changed: w.now}
	for _, f := range edit {
		f(&s)
	}
	return w.put(model.Name{Host: host, Package: model.PackageSeen, Key: s.Key()}, s)
}

func TestStrangers(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"), func(i *model.Interface) {
		i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")}
	})
	w.link("b", "eth0", "02:00:00:00:00:02", addresses("10.0.0.2/24"))
	const mac = "aa:bb:cc:00:00:09"
	w.expectEvents(w.sees("a", "10.0.0.2", "02:00:00:00:00:02")) // it has an agent
	w.expectEvents(w.sees("a", "10.0.0.9", mac), "stranger.seen: a/eth0 sees 10.0.0.9 at "+mac+", where no agent is")
	w.expectEvents(w.sees("b", "10.0.0.9", mac))
	w.expectEvents(w.sees("b", "fe80::9", mac, func(s *model.Seen) { s.Router = true }), "router.seen: b/eth0 hears that fe80::9 at "+mac+" routes")
	got := w.Strangers()
	if len(got) != 1 || got[0].ID != "unknown-host:"+mac || fmt.Sprint(got[0].Addresses) != "[10.0.0.9 fe80::9]" || fmt.Sprint(got[0].SeenBy) != "[a/eth0 b/eth0]" || !got[0].Router {
		t.Errorf("strangers %+v", got)
	}
	for _, text := range []string{mac, "10.0.0.9"} {
		if found := w.Find(text); len(found) != 1 || found[0].ID != "unknown-host:"+mac || found[0].Where != "seen by a/eth0, seen by b/eth0" {
			t.Errorf("find %s: %+v", text, found)
		}
	}
	moved := func(s *model.Seen) { s.Before = mac }
	w.expectEvents(w.sees("a", "10.0.0.9", "aa:bb:cc:00:00:10", moved), "address.moved: a/eth0: 10.0.0.9 is at aa:bb:cc:00:00:10 instead of "+mac)
	w.expectEvents(w.sees("a", "10.0.0.9", "aa:bb:cc:00:00:10", moved))
	w.sees("a", "10.0.0.254", "aa:bb:cc:00:00:fe")
	w.expectEvents(w.sees("a", "10.0.0.254", "aa:bb:cc:00:00:ff", func(s *model.Seen) { s.Before = "aa:bb:cc:00:00:fe" }),
		"address.moved: a/eth0: 10.0.0.254 is at aa:bb:cc:00:00:ff instead of aa:bb:cc:00:00:fe; it is the default gateway")
	// It becomes known when an agent appears there.
	w.link("c", "eth0", mac)
	for _, s := range w.Strangers() {
		if s.MAC == mac {
			t.Errorf("still a stranger: %+v", s)
		}
	}
}

func (w *world) asks(host, mac string, edit func(*model.DHCP)) []model.Event {
	w.t.Helper()
	d := model.DHCP{Interface: "eth0", MAC: mac, FirstSeen: w.now, Changed: w.now}
	edit(&d)
	return w.put(model.Name{Host: host, Package: model.PackageDHCP, Key: d.Key()}, d)
}

func (w *world) serves(host, addr string) []model.Event {
	w.t.Helper()
	d := model.DHCPServer{Interface: "eth0", Addr: netip.MustParseAddr(addr), FirstSeen: w.now}
	return w.put(model.Name{Host: host, Package: model.PackageDHCPServers, Key: d.Key()}, d)
}

// What a machine says when it asks for an address names it.
func TestStrangersThatAskForAddresses(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"), func(i *model.Interface) {
		i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")}
	})
	w.link("b", "eth0", "02:00:00:00:00:02", addresses("10.0.0.2/24"))
	const desk, router = "00:1b:fc:00:00:09", "00:00:0c:00:00:fe"
	w.expectEvents(w.asks("a", desk, func(d *model.DHCP) { d.VendorClass, d.PXE = "PXEClient:Arch:00007", true }),
		"stranger.seen: a/eth0 hears "+desk+" (ASUSTek COMPUTER INC.) ask for an address as PXEClient:Arch:00007, where no agent is")
	w.expectEvents(w.asks("b", desk, func(d *model.DHCP) {
		d.HostName, d.VendorClass, d.Addr = "desk-4", "MSFT 5.0", netip.MustParseAddr("10.0.0.9")
	}))
	w.expectEvents(w.serves("a", "10.0.0.254"), "dhcp.server: a/eth0: DHCP server 10.0.0.254 gives addresses")
	w.expectEvents(w.serves("b", "10.0.0.254")) // as everybody hears
	w.expectEvents(w.serves("a", "10.0.0.66"), "dhcp.server: a/eth0: DHCP server 10.0.0.66 gives addresses, besides 10.0.0.254")
	w.sees("a", "10.0.0.254", router)
	got := w.Strangers()
	if len(got) != 2 {
		t.Fatalf("strangers %+v", got)
	}
	if s := got[0]; s.MAC != router || s.Vendor != "Cisco Systems, Inc" || !s.Router || !s.DHCPServer || s.PXE {
		t.Errorf("router %+v", s)
	}
	if s := got[1]; s.Name != "desk-4" || s.System != "MSFT 5.0" || !s.PXE || s.Vendor != "ASUSTek COMPUTER INC." || s.Router ||
		fmt.Sprint(s.Addresses) != "[10.0.0.9]" || fmt.Sprint(s.SeenBy) != "[a/eth0 b/eth0]" {
		t.Errorf("desk %+v", s)
	}
	for _, text := range []string{"DESK-4", "10.0.0.9", desk} {
		if found := w.Find(text); len(found) != 1 || found[0].ID != "unknown-host:"+desk {
			t.Errorf("find %s: %+v", text, found)
		}
	}
	w.link("desk", "eth0", desk) // an agent appears there
	if got := w.Strangers(); len(got) != 1 || got[0].MAC != router {
		t.Errorf("strangers %+v", got)
	}
}

func TestAddressesThatTwoClaim(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"))
	w.link("b", "eth0", "02:00:00:00:00:02", addresses("10.0.0.2/24"))
	w.link("b", "eth1", "02:00:00:00:00:03", addresses("10.0.0.3/24"))
	w.link("far", "eth0", "02:00:00:00:00:04", addresses("10.0.0.4/16"))
	w.link("branch", "eth0", "02:00:00:00:00:05", addresses("10.0.0.5/24"))
	w.sees("b", "10.0.0.1", "02:00:00:00:00:01")
	const thief = "aa:bb:cc:00:00:09"
	claims := thief + " claims 10.0.0.2, which b/eth0 has (02:00:00:00:00:02); a/eth0 sees it"
	w.expectEvents(w.sees("a", "10.0.0.2", thief, func(s *model.Seen) { s.Unconfirmed = true }), // b's card before, for all that is known
		"stranger.seen: a/eth0 sees 10.0.0.2 at "+thief+", where no agent is")
	w.expectEvents(w.sees("a", "10.0.0.2", thief), "address.duplicate: "+claims)
	w.expectEvents(w.sees("a", "10.0.0.2", thief))
	w.link("b", "eth1", "02:00:00:00:00:03", addresses("10.0.0.3/24")) // b is live
	w.expectEvents(w.pass(findings.Lasting), "incident.opened: "+claims)
	w.expectEvents(w.sees("a", "10.0.0.3", "02:00:00:00:00:02")) // b answers by its other card
	w.expectEvents(w.sees("a", "10.0.0.4", thief))               // another network has that number
	w.expectEvents(w.sees("a", "10.0.0.5", thief))               // another link has that network too
	w.sees("a", "10.0.0.5", "02:00:00:00:00:05", func(s *model.Seen) { s.Before = thief })
	claims = thief + " claims 10.0.0.5, which branch/eth0 has (02:00:00:00:00:05); a/eth0 sees it"
	w.expectEvents(w.sees("a", "10.0.0.5", thief, func(s *model.Seen) { s.Before = "02:00:00:00:00:05" }), "address.duplicate: "+claims)
	w.link("branch", "eth0", "02:00:00:00:00:05", addresses("10.0.0.5/24")) // it is live
	w.expectEvents(w.pass(findings.Lasting), "incident.opened: "+claims)
	first := func(s *model.Seen) { s.Before, s.Conflict = "aa:bb:cc:00:00:10", t0 }
	inTurn := "a/eth0: " + thief + " and aa:bb:cc:00:00:10 claim 10.0.0.7 in turn"
	w.expectEvents(w.sees("a", "10.0.0.7", thief, first), "address.duplicate: "+inTurn, "incident.opened: "+inTurn)
	w.expectEvents(w.sees("a", "10.0.0.7", thief, first))
}

// TestChangedCardClaimsNothing: a host comes back with another card, which others see before it
// says so. It claims its own address.
func TestChangedCardClaimsNothing(t *testing.T) {
	const before, after = "02:00:00:00:00:02", "02:00:00:00:00:09"
	for name, tc := range map[string]struct {
		steps func(w *world)
		want  []string
	}{
		"it says so at once": {func(w *world) { w.link("b", "eth0", after, addresses("10.0.0.2/24")); w.talks(3, "b") }, []string{}},
		"its agent is started later": {func(w *world) {
			w.pass(time.Hour)
			w.link("b", "eth0", after, addresses("10.0.0.2/24"))
			w.talks(3, "b")
		}, []string{}},
		"and says something else then": {func(w *world) {
			w.pass(time.Hour)
			w.talks(1, "b")
			w.pass(findings.Lasting - time.Second)
			w.link("b", "eth0", after, addresses("10.0.0.2/24"))
			w.talks(3, "b")
		}, []string{}},
		"it never comes back": {func(w *world) { w.pass(time.Hour) }, []string{}},
		"it has its old card": {func(w *world) { w.pass(time.Hour); w.talks(3, "b") }, []string{"open address-duplicate 10.0.0.2"}},
		"the other one goes":  {func(w *world) { w.sees("a", "10.0.0.2", before); w.talks(3, "b") }, []string{}},
		"b is forgotten":      {func(w *world) { w.put(model.Name{Host: "b", Package: model.PackageForgotten}, nil); w.pass(time.Hour) }, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.link("a", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"))
			w.link("b", "eth0", before, addresses("10.0.0.2/24"))
			w.sees("b", "10.0.0.1", "02:00:00:00:00:01")
			w.sees("a", "10.0.0.2", after)
			tc.steps(w)
			equal(t, "found", w.found(), tc.want)
		})
	}
}

// The memory of strangers is bounded; the longest unchanged go first.
func TestStrangersAreBounded(t *testing.T) {
	const limit = 100
	w := newWorld(t)
	w.Graph = New(Limits{Sightings: limit})
	w.link("a", "eth0", "02:00:00:00:00:01")
	addr := netip.MustParseAddr("10.0.0.0")
	for range limit + 1 {
		addr = addr.Next()
		w.sees("a", addr.String(), "aa:bb:cc:00:00:09")
	}
	if n := len(w.Graph.seen); n != limit*9/10 {
		t.Errorf("%d are remembered", n)
	}
	if s := w.Stats(); s.Forgotten != limit/10+1 {
		t.Errorf("%+v", s)
	}
}

// A machine behind a port of a host's bridge, as a virtual one is.
func TestMachinesBehindPorts(t *testing.T) {
	w := newWorld(t)
	bridge := func(i *model.Interface) { i.Kind = "bridge" }
	port := func(i *model.Interface) { i.Kind, i.Master = "tun", "br0" }
	w.link("kvm", "br0", "02:00:00:00:00:10", bridge)
	w.link("kvm", "vnet1", "fe:00:00:00:00:01", port)
	w.link("kvm", "vnet2", "fe:00:00:00:00:02", port)
	w.link("known", "eth0", "02:00:00:00:00:20")
	learn := func(mac, at, before string) []model.Event {
		f := model.Forwarding{Bridge: "br0", MAC: mac, Port: at, Before: before, FirstSeen: w.now, Changed: w.now}
		return w.put(model.Name{Host: "kvm", Package: model.PackageForwarding, Key: f.Key()}, f)
	}
	const guest = "52:54:00:00:00:09"
	w.expectEvents(learn(guest, "vnet1", ""))
	w.expectEvents(learn("02:00:00:00:00:20", "vnet2", ""))
	if got := w.Strangers(); len(got) != 1 || got[0].MAC != guest || fmt.Sprint(got[0].Ports) != "[kvm/vnet1]" {
		t.Errorf("strangers %+v", got)
	}
	if found := w.Find("known"); len(found) != 2 || found[1].Where != "behind kvm/vnet2" {
		t.Errorf("found %+v", found)
	}
	w.expectEvents(learn(guest, "vnet2", "vnet1"), "mac.moved: kvm/br0: "+guest+" is behind vnet2 instead of vnet1")
	if found := w.Find(guest); len(found) != 1 || found[0].Where != "behind kvm/vnet2" {
		t.Errorf("found %+v", found)
	}
	gone := w.put(model.Name{Host: "kvm", Package: model.PackageForwarding, Key: "br0/" + guest}, nil)
	if got := w.Strangers(); len(got) != 0 || len(gone) != 0 {
		t.Errorf("strangers %+v", got)
	}
}
