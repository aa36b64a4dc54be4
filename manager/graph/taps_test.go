package graph

import (
	"testing"

	"cassini/model"
)

func (w *world) tap(host, exe, proto string, tap model.Tap, edit ...func(*model.Listener)) []model.Event {
	w.t.Helper()
	l := model.Listener{Proto: proto, Tap: tap, Process: proc(exe, 77), State: model.StateListening, Since: w.now, Sockets: 1}
	for _, f := range edit {
		f(&l)
	}
	return w.put(model.Name{Host: host, Package: model.PackageListeners, Key: l.Key()}, l)
}

// Packet and raw sockets are services without address and clients, and exposed where they
// hear other machines.
func TestTaps(t *testing.T) {
	w := newWorld(t)
	all := model.Tap{Hears: model.HearsAll, Number: 3, Interfaces: []string{"eth0"}}
	got := w.tap("web", "/usr/bin/tcpdump", model.ProtoPacket, all)
	equal(t, "summaries", summaries(got[1:]), []string{"service.started: tcpdump on packet:all of web listens (pid 77)"})
	w.tap("web", "/usr/bin/tcpdump", model.ProtoPacket, model.Tap{Hears: model.HearsAll, Number: 3, Interfaces: []string{"lo"}}, func(l *model.Listener) { l.NetnsName = "blue" })
	w.tap("web", "/usr/sbin/keepalived", model.ProtoRaw, model.Tap{Hears: "vrrp", Number: 112})
	w.tap("web", "/usr/sbin/dhclient", model.ProtoRaw, model.Tap{Hears: model.HearsNothing, Number: 255})
	all.Promiscuous = true
	equal(t, "summaries", summaries(w.tap("web", "/usr/bin/tcpdump", model.ProtoPacket, all)),
		[]string{"service.changed: tcpdump on packet:all of web hears on eth0, also what is not addressed to this host (promiscuous)"})
	ids := func(list []model.Service) (ids []string) {
		for _, s := range list {
			ids = append(ids, s.ID)
		}
		return ids
	}
	equal(t, "exposed", ids(w.Exposed("")), []string{"service:web/keepalived/raw:vrrp", "service:web/tcpdump/packet:all"})
	equal(t, "unused", ids(w.Unused("")), []string(nil))
	packet := w.Services(ServiceFilter{Proto: model.ProtoPacket})
	equal(t, "of packets", ids(packet), []string{"service:web/tcpdump/packet:all", "service:web/tcpdump/packet:all@blue"})
	if s := packet[0]; s.Port != 0 || s.Addr.IsValid() || len(s.Addrs) != 0 || !s.Promiscuous || s.Hears != model.HearsAll || s.Number != 3 {
		t.Errorf("shown as %+v", s)
	}
	for _, n := range w.Nodes(NodeFilter{}) {
		switch {
		case n.Kind == model.KindEndpoint:
			t.Errorf("an endpoint: %+v", n)
		case n.ID == "service:web/tcpdump/packet:all" && (n.Attrs["hears"] != "all" || n.Attrs["promiscuous"] != true || n.Attrs["port"] != nil):
			t.Errorf("in the graph %+v", n.Attrs)
		}
	}
	events := w.tap("web", "/usr/bin/tcpdump", model.ProtoPacket, all, func(l *model.Listener) { l.State, l.Sockets = model.StateEnded, 0 })
	equal(t, "summaries", summaries(events), []string{"service.ended: tcpdump on packet:all of web ended"})
	equal(t, "exposed", ids(w.Exposed("")), []string{"service:web/keepalived/raw:vrrp"})
}
