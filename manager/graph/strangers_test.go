package graph

import (
	"fmt"
	"net/netip"
	"testing"

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
	w.expectEvents(w.sees("b", "fe80::9", mac, func(s *model.Seen) { s.Router = true }))
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
