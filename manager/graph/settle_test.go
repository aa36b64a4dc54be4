package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"cassini/model"
)

// whole is everything that can be seen of the joined facts.
func whole(t *testing.T, g *Graph) string {
	t.Helper()
	deps, _ := g.Dependencies(DependencyFilter{})
	b, err := json.MarshalIndent([]any{g.Graph(GraphFilter{}), deps, g.Stats(), g.Strangers(), g.Ports(PortFilter{Ended: true}), g.Switches()}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTheViewFollowsTheFacts compares, after each document or a few, the view that was changed as the
// facts did with one that is made anew each time. Of a few the first is followed at once, and the
// others when somebody asks or when there are more than may wait.
func TestTheViewFollowsTheFacts(t *testing.T) {
	for seed := range uint64(seeds / 3) {
		w, anew := newWorld(t), New(Limits{})
		r := w.generator(seed)
		followed, several := 0, 1+int(seed%3)*3
		w.dueMost = []int{mostDue, 2}[seed/3%2]
		for step := range 150 {
			w.read(func(*view) {}) // from now on it is followed
			had, fed := w.built, len(w.docs)
			for range several {
				r.any()
			}
			for i, d := range w.docs[fed:] {
				anew.Apply(fmt.Sprintf("%08d.%s.%s", fed+i+1, d.Package, d.Host), d)
			}
			anew.rewire()
			if w.built == had {
				followed++
			}
			if got, want := whole(t, w.Graph), whole(t, anew); got != want {
				t.Fatalf("seed %d, step %d, after %v: %s", seed, step, w.docs[len(w.docs)-1:], difference(got, want))
			}
			w.writtenAsJSON(t)
			w.compareSums(t)
			w.check(t)
		}
		if followed < 150-6*several {
			t.Errorf("seed %d: followed %d steps of 150 only", seed, followed)
		}
	}
}

// any is a step of any kind: also of what is wired to what, and of rings.
func (r *generator) any() {
	host := r.pick("1", "2", "3")
	switch r.IntN(20) {
	case 12, 13, 14, 15, 16, 17, 18, 19:
		r.wire(host)
	case 0: // an address moves between hosts
		i := model.Interface{Name: r.pick("eth0", "br0"), Netns: r.pick("", "", "blue"), Address: "02:00:00:00:00:0" + host, State: r.pick(model.InterfacePresent, model.InterfacePresent, model.InterfaceGone)}
		i.Addresses = map[string]model.IPConfig{r.pick("10.0.0.1", "10.0.0.2", "172.17.0.1", "fd00::3") + "/24": {}}
		r.w.put(model.Name{Host: host, Package: model.PackageNetConfig, Key: i.Key()}, i)
	case 1:
		ring := model.Ring{ID: model.RingID(r.pick("a", "b"))}
		for _, h := range []string{"1", "2", "4"}[:r.IntN(4)] {
			ring.Members = append(ring.Members, model.RingMember{Host: h, Incarnation: 1})
		}
		var body any
		if r.IntN(4) > 0 {
			body = ring
		}
		r.w.put(model.Name{Host: "boss", Package: model.PackageRings, Key: string(ring.ID)}, body)
	case 2:
		a := model.Asked{Addr: netip.MustParseAddr(r.pick("10.0.0.9", "10.0.0.2", "fd00::9")), Names: []model.AskedName{{Name: r.pick("x.example", "y.example"), First: r.w.now}}}
		r.w.put(model.Name{Host: host, Package: model.PackageNames, Key: a.Key()}, a)
	case 3:
		r.w.put(model.Name{Host: fmt.Sprint("new-", r.IntN(5)), Package: model.PackageOS}, model.OS{Name: "Debian"})
	case 4: // all that a host told of its listeners is gone
		for _, d := range r.w.docs {
			if d.Host == host && d.Package == model.PackageListeners && r.IntN(4) == 0 {
				r.w.put(d.Name, nil)
				return
			}
		}
	default:
		r.step()
	}
}

// wire is a step of what is wired to what, and of who is seen where.
func (r *generator) wire(host string) {
	mac := "02:00:00:00:00:0" + r.pick("1", "2", "7", "8")
	iface := r.pick("eth0", "br0")
	put := func(pkg, key string, body any) {
		if r.IntN(4) == 0 {
			body = nil
		}
		r.w.put(model.Name{Host: host, Package: pkg, Key: key}, body)
	}
	switch r.IntN(14) {
	case 0, 6, 7, 8, 9: // a link that changes, and mostly joins as before
		i := model.Interface{Name: "eth0", Address: "02:00:00:00:00:0" + r.pick(host, host, host, "9"), State: model.InterfacePresent, Carrier: r.IntN(2), Kind: "device"}
		if r.IntN(3) == 0 {
			i.Name, i.Address, i.VLAN = "br0", r.pick("", mac), r.IntN(2)*7
		} else if r.IntN(2) == 0 {
			i.Master, i.Parent = r.pick("br0", ""), r.pick("br0", "eth0", "")
		}
		r.w.put(model.Name{Host: host, Package: model.PackageNetConfig, Key: i.Key()}, i)
	case 1:
		s := model.Seen{Interface: iface, Addr: netip.MustParseAddr(r.pick("10.0.0.9", "10.0.0.8", "fe80::8", "fe80::1")), MAC: mac, FirstSeen: t0, Changed: r.w.now, Router: r.IntN(2) == 0}
		put(model.PackageSeen, s.Key(), s)
	case 2:
		c := model.DHCP{Interface: iface, MAC: mac, HostName: r.pick("x", "y"), Addr: netip.MustParseAddr(r.pick("10.0.0.9", "10.0.0.8")), FirstSeen: t0, Changed: r.w.now}
		put(model.PackageDHCP, c.Key(), c)
	case 3:
		s := model.DHCPServer{Interface: iface, Addr: netip.MustParseAddr(r.pick("10.0.0.9", "10.0.0.8")), FirstSeen: t0}
		put(model.PackageDHCPServers, s.Key(), s)
	case 4:
		f := model.Forwarding{Bridge: "br0", MAC: mac, Port: iface, FirstSeen: t0, Changed: r.w.now}
		put(model.PackageForwarding, f.Key(), f)
	default:
		n := model.Neighbor{Interface: iface, State: r.pick(model.NeighborPresent, model.NeighborPresent, model.NeighborPresent, model.NeighborSilent), FirstSeen: t0, Changed: r.w.now, Discovery: model.Discovery{
			Protocol: r.pick(model.LLDP, model.CDP), SystemName: "sw", TTL: 120, Enabled: []string{"bridge"}, Chassis: model.PortID{Kind: "mac", ID: "aa:00:00:00:00:01"}, Port: model.PortID{Kind: "ifname", ID: r.pick("e1", "e2")},
			VLANs: []model.VLAN{{ID: 7, Name: r.pick("red", "blue")}},
		}}
		switch r.IntN(4) {
		case 0: // another host, by its card
			n.Port = model.PortID{Kind: "mac", ID: mac}
		case 1: // another host, by any of its cards and a name
			n.Chassis, n.Port = model.PortID{Kind: "mac", ID: mac}, model.PortID{Kind: "ifname", ID: r.pick("eth0", "br0")}
		case 2:
			n.Enabled = []string{"station"}
		}
		put(model.PackageNeighbors, n.Key(), n)
	}
}

// check looks whether the view is sound.
func (w *world) check(t *testing.T) {
	t.Helper()
	v := w.built
	if v.lost {
		t.Error("something could not be undone")
	}
	nodes, edges := 0, 0
	for i, n := range v.list {
		if n == nil {
			continue
		}
		nodes++
		if int(n.index) != i || v.named(n.id) != n {
			t.Errorf("%s has index %d at %d", n.id, n.index, i)
		}
		for _, e := range n.out() {
			if edges++; !slices.Contains(e.to.in(), e) || e.from != n {
				t.Errorf("%s is not at both ends", e.id())
			}
			if e.kind == edgeDependsOn && len(e.facts().docs()) == 0 || e.kind != edgeDependsOn && e.held == 0 {
				t.Errorf("%s is there for nothing", e.id())
			}
		}
		if services := len(n.far(n.in(), edgeRunsAs)); n.kind == nodeProcess && int(n.told) != services || n.serves() != (services > 0) {
			t.Errorf("%s runs %d services, not %d", n.id, services, n.told)
		}
		if !slices.IsSortedFunc(n.out(), compareEdges) || !slices.IsSortedFunc(n.in(), compareEdges) {
			t.Errorf("edges of %s are not in order", n.id)
		}
	}
	inOrder := slices.Collect(v.byID())
	if nodes != v.size() || nodes+len(v.free) != len(v.list) || !slices.IsSortedFunc(inOrder, compareNodes) || len(inOrder) != nodes {
		t.Errorf("%d nodes of %d, %d free of %d, %d in order", nodes, v.size(), len(v.free), len(v.list), len(inOrder))
	}
	if all := v.allEdges(); len(all) != edges || !slices.IsSortedFunc(all, compareEdges) {
		t.Errorf("%d edges of %d", len(all), edges)
	}
}

// writtenAsJSON fails where what is written of dependencies is not what encoding/json writes.
func (g *Graph) writtenAsJSON(t *testing.T) {
	t.Helper()
	for _, f := range []DependencyFilter{{}, {}, {Host: "1"}, {Of: "host:2", Up: true, Down: true, Depth: 3}} {
		deps, known := g.Dependencies(f)
		a, ok, err := g.DependenciesWritten(f)
		if err != nil || ok != known {
			t.Fatalf("%+v: %t, want %t: %v", f, ok, known, err)
		}
		if !ok {
			continue
		}
		var got, want bytes.Buffer
		if n, err := a.WriteTo(&got); err != nil || int(n) != a.Size() || got.Len() != a.Size() {
			t.Fatalf("%+v: %d bytes, %d said: %v", f, n, a.Size(), err)
		}
		a.Done()
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(deps); err != nil {
			t.Fatal(err)
		}
		if got.String() != want.String() {
			t.Fatalf("%+v: %s", f, difference(got.String(), want.String()))
		}
		names, _ := g.Reach(f)
		if !slices.EqualFunc(names, deps, func(r model.Reached, d model.DependencyView) bool {
			return r.Client == d.Client.ID && r.Server == d.Server.ID
		}) {
			t.Fatalf("%+v: %v", f, names)
		}
	}
}

// TestChangesWaitForAQuestion has the first changes after a question followed at once, and others only
// when more than a few wait.
func TestChangesWaitForAQuestion(t *testing.T) {
	w := newWorld(t)
	w.dueMost = 3
	w.Stats()
	var followed []bool
	for i := range 6 {
		w.out("web", "/app", "10.0.0.1", fmt.Sprintf("10.1.0.%d", i+1), 443, n(1))
		followed = append(followed, w.joined())
	}
	if want := []bool{true, false, false, false, true, false}; !slices.Equal(followed, want) {
		t.Errorf("followed %v, want %v", followed, want)
	}
	if got := w.Stats().Edges[model.EdgeDependsOn]; got != 6 {
		t.Errorf("%d edges are told of, want 6", got)
	}
}

// TestWhatGoesWhileNobodyAsks has machines seen again and again, and others go, which changes the view at once:
// what hangs on nothing any more is not kept until somebody asks.
func TestWhatGoesWhileNobodyAsks(t *testing.T) {
	w := newWorld(t)
	w.dueMost = 20
	w.link("h1", "eth0", "02:00:00:00:00:01")
	w.Stats()
	sizes := w.built.size()
	for i := range 200 {
		s := model.Seen{Interface: "eth0", Addr: netip.MustParseAddr("10.0.0.9"), MAC: fmt.Sprintf("02:00:00:00:01:%02x", i), FirstSeen: t0, Changed: w.now}
		name := model.Name{Host: "h1", Package: model.PackageSeen, Key: s.Key()}
		w.put(name, s)
		w.put(name, nil)
		if waits, more := len(w.built.suspects), w.built.size()-sizes; waits > w.dueMost || more > w.dueMost {
			t.Fatalf("after %d machines %d wait to be looked at, and %d are in the view", i+1, waits, more)
		}
	}
}
