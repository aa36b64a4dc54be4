package graph

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestTheViewFollowsWhatAddressesMean changes interfaces and what they see of hosts with the same
// addresses, and compares the view that followed with one that is made anew.
func TestTheViewFollowsWhatAddressesMean(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t)
		r := w.generator(seed)
		changed := 0
		for step := range 400 {
			before := w.edges(DependencyFilter{})
			r.overlap(r.pick("1", "2", "3"))
			got := w.edges(DependencyFilter{})
			w.rewire()
			if want := w.edges(DependencyFilter{}); !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d, after %s %s:\n got %s\nwant %s", seed, step, w.docs[len(w.docs)-1].Name, w.docs[len(w.docs)-1].Body, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
			if pkg := w.docs[len(w.docs)-1].Package; !slices.Equal(got, before) && (pkg == model.PackageSeen || pkg == model.PackageNetConfig) {
				changed++
			}
		}
		if changed < 20 {
			t.Errorf("seed %d: %d steps joined anything otherwise", seed, changed)
		}
	}
}

// overlap is a step of one of several hosts on links of the same addresses.
func (r *generator) overlap(host string) {
	blue := func(one *string) { // the namespace of a container
		if r.IntN(4) == 0 {
			*one = "blue"
		}
	}
	addr := func() string { return r.pick("10.0.0.1", "10.0.0.2", "10.0.0.3", "172.17.0.2") }
	mac := func() string { return "02:00:00:00:00:0" + r.pick("1", "2", "3", "7") }
	switch r.IntN(10) {
	case 0, 1:
		i := model.Interface{Name: r.pick("eth0", "br0"), Kind: r.pick("device", "bridge", "veth"), Address: mac(), State: model.InterfacePresent, Master: r.pick("", "br0"), Parent: r.pick("", "eth0")}
		if blue(&i.Netns); r.IntN(6) == 0 {
			i.State = model.InterfaceGone
		}
		i.Addresses = map[string]model.IPConfig{r.pick("10.0.0."+host, addr()) + r.pick("/24", "/24", "/32"): {}}
		if r.IntN(2) == 0 {
			i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")}
		}
		r.w.put(model.Name{Host: host, Package: model.PackageNetConfig, Key: i.Key()}, i)
	case 2, 3, 4, 5:
		s := model.Seen{Interface: r.pick("eth0", "br0"), Addr: netip.MustParseAddr(r.pick(addr(), "10.0.0.254")), MAC: mac(), FirstSeen: t0, Changed: r.w.now, Unconfirmed: r.IntN(6) == 0}
		blue(&s.Netns)
		if r.IntN(6) == 0 {
			r.w.put(model.Name{Host: host, Package: model.PackageSeen, Key: s.Key()}, nil)
			return
		}
		r.w.put(model.Name{Host: host, Package: model.PackageSeen, Key: s.Key()}, s)
	case 6:
		r.w.listen(host, "/nginx", "0.0.0.0", 80, func(l *model.Listener) { blue(&l.NetnsName) })
	case 7:
		r.w.translate(host, addr(), addr()+":80", addr(), addr()+":80", 1)
	default:
		d := r.w.dep([]model.Direction{model.Out, model.In}[r.IntN(2)], "/curl", addr(), addr(), 80, n(1))
		if blue(&d.NetnsName); d.Direction == model.Out && d.NetnsName != "" {
			d.NetnsName = model.NetnsOfLives
		}
		r.w.putDep(host, d)
	}
}
