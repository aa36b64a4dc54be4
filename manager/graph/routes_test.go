package graph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

func (w *world) routes(host, dst, via, protocol string, since time.Time) []model.Event {
	w.t.Helper()
	r := model.Route{Table: "main", Destination: netip.MustParsePrefix(dst), Type: "unicast", Protocol: protocol, Since: since,
		Hops: []model.Hop{{Via: netip.MustParseAddr(via), Interface: "eth0"}}}
	return w.put(model.Name{Host: host, Package: model.PackageRoutes, Key: r.Key()}, r)
}

func TestRoutes(t *testing.T) {
	w := newWorld(t)
	w.link("a", "eth0", "02:00:00:00:00:01")
	w.expectEvents(w.routes("a", "10.0.0.0/8", "192.168.0.1", "static", time.Time{})) // before the agent
	w.expectEvents(w.routes("a", "10.9.0.0/24", "192.168.0.1", "kernel", t0))         // comes with an address
	w.expectEvents(w.routes("a", "0.0.0.0/0", "192.168.0.1", "dhcp", t0))             // the interface tells
	w.expectEvents(w.routes("a", "172.16.0.0/12", "192.168.0.1", "static", t0), "route.added: a: route to 172.16.0.0/12 via 192.168.0.1 dev eth0")
	w.expectEvents(w.routes("a", "172.16.0.0/12", "192.168.0.2", "static", t0), "route.changed: a: route to 172.16.0.0/12 via 192.168.0.2 dev eth0 instead of via 192.168.0.1 dev eth0")
	w.routes("b", "10.0.0.0/8", "192.168.0.1", "static", time.Time{})
	var got []string
	for _, r := range w.Routes("a") {
		got = append(got, r.Destination.String())
	}
	if fmt.Sprint(got) != "[0.0.0.0/0 10.0.0.0/8 10.9.0.0/24 172.16.0.0/12]" || len(w.Routes("")) != 5 {
		t.Errorf("routes %v", got)
	}
	w.expectEvents(w.put(model.Name{Host: "a", Package: model.PackageRoutes, Key: "main/172.16.0.0/12/0"}, nil), "route.removed: a: route to 172.16.0.0/12 via 192.168.0.2 dev eth0 is gone")

	rule := model.Rule{Family: "inet", Priority: 7, Text: "from all lookup 100", Since: t0}
	name := model.Name{Host: "a", Package: model.PackageRules, Key: rule.Key()}
	w.expectEvents(w.put(name, rule), "route.added: a: routing rule from all lookup 100")
	if rules := w.Rules("a"); len(rules) != 1 || rules[0].Priority != 7 || len(w.Rules("b")) != 0 {
		t.Errorf("rules %+v", rules)
	}
	w.expectEvents(w.put(name, nil), "route.removed: a: routing rule from all lookup 100 is gone")
}
