package graph

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// everything are the nodes and edges that differences are told of, by identifier.
func (g *Graph) everything(flapping []model.Flapping) map[string]model.Attrs {
	all := make(map[string]model.Attrs)
	g.read(func(v *view) {
		for n := range v.all() {
			ended := n.service() != nil && n.service().state == model.StateEnded
			if !ended && !slices.Contains([]nodeKind{nodeEndpoint, nodeIP, nodeMAC, nodeProcess}, n.kind) {
				all[n.id] = n.attrs()
			}
		}
		for _, e := range v.allEdges() {
			if e.kind == edgeDependsOn || e.kind == edgeWiredTo {
				all[e.id()] = nil
			}
		}
	})
	for _, f := range flapping {
		delete(all, f.ID)
	}
	return all
}

// disturb changes something at random.
func (w *world) disturb(r *rand.Rand) {
	host := fmt.Sprint("h", r.IntN(9))
	addr := fmt.Sprintf("10.0.0.%d", r.IntN(9)+1)
	exe := fmt.Sprintf("/usr/bin/app%d", r.IntN(4))
	switch r.IntN(12) {
	case 11:
		w.labelled(host, []string{"", "row one"}[r.IntN(2)], []string{"rack", "env"}[r.IntN(2)], fmt.Sprint(r.IntN(3)))
	case 9: // something is withdrawn, as when it was forgotten
		w.put(w.docs[r.IntN(len(w.docs))].Name, nil)
	case 10:
		w.flip(r)
	case 0:
		w.link(host, "eth0", "02:00:00:00:00:00", addresses(addr+"/24"), func(i *model.Interface) { i.MTU, i.Carrier = 1500+r.IntN(2), r.IntN(2) })
	case 1:
		w.wired(host, "eth0", fmt.Sprintf("00:1b:fc:00:00:%02x", r.IntN(3)), fmt.Sprint("p", r.IntN(3)), uint16(1+r.IntN(2)))
	case 2:
		w.stop(host, exe, addr, 1000)
	case 3, 4:
		w.listen(host, exe, addr, 1000, func(l *model.Listener) {
			l.Cgroup = []string{"", "/system.slice/x.service"}[r.IntN(2)]
			l.UID = []string{"www", "root"}[r.IntN(2)]
		})
	case 5:
		w.put(model.Name{Host: host, Package: model.PackageIdentity}, model.Identity{Hostname: host, BootID: fmt.Sprint(r.IntN(2))})
	case 6:
		w.says(host, model.VerdictCrashed)
	default:
		w.out(host, exe, addr, fmt.Sprintf("10.0.0.%d", r.IntN(9)+1), 1000, model.Counters{Connections: 1})
	}
}

// flip changes the carrier of a link and nothing else.
func (w *world) flip(r *rand.Rand) {
	links := slices.DeleteFunc(slices.Clone(w.docs), func(d model.Document) bool { return d.Package != model.PackageNetConfig || d.Gone() })
	doc := links[r.IntN(len(links))]
	var i model.Interface
	if err := doc.Decode(&i); err != nil {
		w.t.Fatal(err)
	}
	i.Carrier = 1 - i.Carrier
	w.put(doc.Name, i)
}

// TestDiffAgainstEverything compares what DiffGraphs tells with two lists of everything.
func TestDiffAgainstEverything(t *testing.T) {
	changed := 0
	for seed := range uint64(150) {
		w := randomEstate(t, seed)
		before := w.at()
		r := rand.New(rand.NewPCG(seed, 12))
		for range r.IntN(25) {
			w.disturb(r)
			w.compareSums(t)
			if r.IntN(3) == 0 {
				DiffGraphs(before, w.Graph) // which remembers what it compared
			}
		}
		d := DiffGraphs(before, w.Graph)
		if fresh := DiffGraphs(w.at(), w.Graph); len(fresh.Came)+len(fresh.Went)+len(fresh.Changed) > 0 {
			t.Fatalf("seed %d: of the same: %+v", seed, fresh)
		}
		for processors := range 5 {
			if in := diffGraphs(before, w.Graph, processors+1, 5); !reflect.DeepEqual(in, d) {
				t.Fatalf("with %d processors: %+v, want %+v", processors+1, in, d)
			}
		}
		was, is := before.everything(d.Flapping), w.everything(d.Flapping)
		var came, went []string
		differ := make(map[string]map[string][2]any)
		for id, attrs := range is {
			then, known := was[id]
			if !known {
				came = append(came, id)
			} else if attrs := differing(then, attrs); len(attrs) > 0 {
				differ[id] = attrs
			}
		}
		for id := range was {
			if _, there := is[id]; !there {
				went = append(went, id)
			}
		}
		ids := func(list []model.Change) (ids []string) {
			for _, c := range list {
				ids = append(ids, c.ID)
			}
			slices.Sort(ids)
			return ids
		}
		slices.Sort(came)
		slices.Sort(went)
		equal(t, fmt.Sprint("came, seed ", seed), ids(d.Came), came)
		equal(t, fmt.Sprint("went, seed ", seed), ids(d.Went), went)
		for _, c := range d.Changed {
			changed++
			if !reflect.DeepEqual(c.Attrs, differ[c.ID]) {
				t.Errorf("seed %d: %s changed in %v, want %v", seed, c.ID, c.Attrs, differ[c.ID])
			}
			delete(differ, c.ID)
		}
		if len(differ) > 0 {
			t.Fatalf("seed %d: not told: %v", seed, differ)
		}
	}
	if changed < 100 {
		t.Errorf("only %d changes", changed)
	}
}

// compareSums compares sums of nodes that are kept with sums that are made anew, and makes the rest.
func (w *world) compareSums(t *testing.T) {
	t.Helper()
	w.read(func(v *view) {
		kept, anew := v.latestSums(), make(sums, len(v.list))
		for n := range v.all() {
			had := kept[n.index].Load()
			if want := anew.of(n); had != 0 && had != want {
				t.Fatalf("the sum of %s is %d, and was kept as %d, after %v", n.id, want, had, w.docs[len(w.docs)-1:])
			}
		}
		for from, more := 0, true; more; from += 7 {
			more = v.sumUp(from, from+7)
		}
		for n := range v.all() {
			if got, want := kept[n.index].Load(), anew[n.index].Load(); got != want {
				t.Fatalf("the sum of %s is made as %d, want %d", n.id, got, want)
			}
		}
		for _, o := range []*order{&v.inOrder, &v.compared} {
			v.checkOrder(t, o)
		}
	})
}

// checkOrder compares an order that is kept with one that is made anew.
func (v *view) checkOrder(t *testing.T, o *order) {
	t.Helper()
	var want []*node
	for n := range v.all() {
		if o.has(n.kind) {
			want = append(want, n)
		}
	}
	slices.SortFunc(want, func(a, b *node) int { return strings.Compare(a.id, b.id) })
	if got := v.indicesByID(o); !slices.Equal(got, indicesOf(want)) {
		t.Fatalf("%d nodes in order, want %d:\n%v\n%v", len(got), len(want), got, indicesOf(want))
	}
}

// TestSumsFollow changes what a node says in ways that leave its edges as they are.
func TestSumsFollow(t *testing.T) {
	w := newWorld(t)
	w.compareSums(t)
	card := func(host, mac string) { w.link(host, "eth0", mac) }
	card("h1", "02:00:00:00:00:01")
	card("h2", "02:00:00:00:00:02")
	far := func(host, name string) {
		n := model.Neighbor{Interface: "eth0", State: model.NeighborPresent, FirstSeen: w.now, Discovery: model.Discovery{
			Protocol: model.LLDP, SystemName: name, Enabled: []string{"bridge"}, Chassis: model.PortID{Kind: "mac", ID: switchA}, Port: model.PortID{Kind: "ifname", ID: "p1"},
		}}
		var body any
		if name != "" {
			body = n
		}
		w.put(model.Name{Host: host, Package: model.PackageNeighbors, Key: n.Key()}, body)
		w.compareSums(t)
	}
	system := func(name string) {
		var body any
		if name != "" {
			body = model.OS{Name: name}
		}
		w.put(model.Name{Host: "h3", Package: model.PackageOS}, body)
		w.compareSums(t)
	}
	far("h2", "two says")
	far("h1", "one says") // which is believed first
	far("h1", "another")
	far("h1", "")
	system("Debian")
	system("Ubuntu")
	system("")
	system("Debian")
	w.put(model.Name{Host: "boss", Package: model.PackageRings, Key: "a"}, model.Ring{ID: "a", Members: []model.RingMember{{Host: "h3", Incarnation: 1}}})
	w.compareSums(t)
	w.put(model.Name{Host: "h3", Package: model.PackageForgotten}, nil)
	w.compareSums(t)
	if w.built.summed.of(w.built.named("host:h3")) != 0 {
		t.Error("a host that is forgotten has a sum")
	}
}

// vary gives each field of a struct another value in turn, those of structs in it too.
func vary(v reflect.Value, name string, try func(field string)) {
	for i := range v.NumField() {
		f, field := v.Field(i), name+"."+v.Type().Field(i).Name
		if f.Kind() == reflect.Struct && f.Type() != reflect.TypeFor[time.Time]() && f.Type() != reflect.TypeFor[netip.Addr]() {
			vary(f, field, try)
			continue
		}
		old := reflect.ValueOf(f.Interface())
		f.Set(another(f))
		try(field)
		f.Set(old)
	}
}

// another is a value that differs.
func another(f reflect.Value) reflect.Value {
	n := reflect.New(f.Type()).Elem()
	switch x := n.Addr().Interface().(type) {
	case *time.Time:
		*x = f.Interface().(time.Time).Add(time.Hour)
		return n
	case *netip.Addr:
		*x = netip.MustParseAddr("192.0.2.77")
		return n
	}
	switch f.Kind() {
	case reflect.String:
		n.SetString(f.String() + "x")
	case reflect.Bool:
		n.SetBool(!f.Bool())
	case reflect.Int:
		n.SetInt(1 - f.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n.SetUint(1 - f.Uint()%2)
	case reflect.Slice:
		n.Set(reflect.MakeSlice(f.Type(), f.Len()+1, f.Len()+1))
	case reflect.Map:
		n.Set(reflect.MakeMap(f.Type()))
		n.SetMapIndex(reflect.ValueOf("192.0.2.7/24"), reflect.Zero(f.Type().Elem()))
	case reflect.Pointer:
		n.Set(reflect.New(f.Type().Elem()))
		if n.Elem().Kind() == reflect.Struct && n.Elem().NumField() > 0 && n.Elem().Field(0).Kind() == reflect.String {
			n.Elem().Field(0).SetString("x")
		}
	default:
		panic(fmt.Sprint("no other value of a ", f.Type()))
	}
	return n
}

// TestAlikeKnowsEveryAttribute changes each field of what nodes are made of: where an
// attribute differs, the nodes are not alike. A new attribute has to be known there.
func TestAlikeKnowsEveryAttribute(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.1")
	ended := t0.Add(time.Hour)
	listener := model.Listener{
		Proto: "tcp", Addr: addr, Port: 80, State: model.StateEnded, Since: t0, Ended: &ended,
		Process: model.Process{Exe: "/nginx", Home: &model.Home{Slice: "s"}},
	}
	card := model.Interface{
		Name: "eth0", State: model.InterfacePresent, Addresses: map[string]model.IPConfig{"10.0.0.1/24": {}}, DefaultGateways: []netip.Addr{addr},
	}
	far := model.Neighbor{Interface: "eth0", State: model.NeighborPresent, Discovery: model.Discovery{
		Protocol: model.LLDP, Enabled: []string{"bridge"}, Chassis: model.PortID{Kind: "mac", ID: switchA}, Port: model.PortID{Kind: "ifname", ID: "p1"},
	}}
	identity, system := model.Identity{Hostname: "h"}, model.OS{Name: "Debian"}
	of := func(pkg string, body any) func() *Graph {
		return func() *Graph {
			w := newWorld(t)
			w.link("h", "eth0", "02:00:00:00:00:01")
			w.put(model.Name{Host: "h", Package: pkg, Key: card.Key()}, body)
			return w.Graph
		}
	}
	fields := 0
	for _, c := range []struct {
		node string
		body any
		make func() *Graph
	}{
		{"service:h/nginx:80", &listener, of(model.PackageListeners, &listener)},
		{"interface:h/eth0", &card, of(model.PackageNetConfig, &card)},
		{"host:h", &identity, of(model.PackageIdentity, &identity)},
		{"host:h", &system, of(model.PackageOS, &system)},
		{"switch:" + switchA, &far, of(model.PackageNeighbors, &far)},
		{"switchport:" + switchA + "/p1", &far, of(model.PackageNeighbors, &far)},
	} {
		base := c.make()
		try := func(field string, other *Graph) {
			base.read(func(v *view) {
				other.read(func(u *view) {
					a, b := v.named(c.node), u.named(c.node)
					if a == nil || b == nil {
						return // it is told of another node
					}
					fields++
					if sum := make(sums, len(v.list)).of(a); !a.alike(b) && sum != 0 && sum == make(sums, len(u.list)).of(b) {
						t.Errorf("with another %s the sum is the same", field)
					} else if sum == 0 {
						t.Errorf("no sum of %s", c.node)
					}
					if attrs := differing(a.attrs(), b.attrs()); len(attrs) > 0 && a.alike(b) {
						t.Errorf("with another %s they are alike, and differ: %v", field, attrs)
					} else if field == "" && (len(attrs) > 0 || !a.alike(b)) {
						t.Errorf("equal ones of %s differ", c.node)
					}
				})
			})
		}
		try("", c.make())
		vary(reflect.ValueOf(c.body).Elem(), c.node, func(field string) { try(field, c.make()) })
	}
	if fields < 100 {
		t.Errorf("only %d fields", fields)
	}
}

// TestSumsEndWithWhoWantsThem makes none for somebody who has gone, and not the rest for one who goes.
func TestSumsEndWithWhoWantsThem(t *testing.T) {
	w := randomEstate(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.SumUp(ctx)
	w.read(func(v *view) {
		if len(v.summed) > 0 || v.compared.list != nil {
			t.Errorf("%d sums were made", len(v.summed))
		}
	})
	w.SumUp(t.Context())
	w.read(func(v *view) {
		if len(v.summed) < len(v.list) || v.compared.list == nil {
			t.Errorf("%d sums were made of %d nodes", len(v.summed), len(v.list))
		}
	})
}
