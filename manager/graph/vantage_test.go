package graph

import (
	"fmt"
	"net/netip"
	"testing"

	"cassini/model"
)

// site is a link with a private subnet that others have too: its router, a web server with an agent,
// and a database. mac tells the sites apart.
func (w *world) site(name, mac string, db bool) {
	w.t.Helper()
	gateway := func(i *model.Interface) { i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")} }
	w.link("web-"+name, "eth0", mac+":01", addresses("10.0.0.1/24"), gateway)
	w.sees("web-"+name, "10.0.0.254", mac+":fe")
	if db {
		w.link("db-"+name, "eth0", mac+":05", addresses("10.0.0.5/24"), gateway)
		w.sees("db-"+name, "10.0.0.254", mac+":fe")
		w.listen("db-"+name, "/postgres", "0.0.0.0", 5432)
	}
}

const (
	macA, macB = "02:00:00:00:0a", "02:00:00:00:0b"
	absentDB   = "service:10.0.0.5:5432"
)

// An address that keepalived moves has a length of its own ("10.0.0.100/32"). Who had it before is
// known from connections alone.
func TestAddressThatMoves(t *testing.T) {
	w := newWorld(t)
	w.link("web", "eth0", "02:00:00:00:01:01", addresses("10.7.0.1/24")) // behind a router
	const vip = "10.0.0.100"
	w.link("db1", "eth0", "02:00:00:00:01:02", addresses("10.0.0.2/24", vip+"/32"))
	w.link("db2", "eth0", "02:00:00:00:01:03", addresses("10.0.0.3/24"))
	for _, db := range []string{"db1", "db2"} {
		w.listen(db, "/redis", "0.0.0.0", 6379)
	}
	w.out("web", "/app", "10.7.0.1", vip, 6379, n(2))
	w.in("db1", "/redis", "10.7.0.1", vip, 6379, n(2))
	w.expect("process:web/app -> service:db1/redis:6379 2/0 [client server]")
	w.link("db1", "eth0", "02:00:00:00:01:02", addresses("10.0.0.2/24"))
	w.link("db2", "eth0", "02:00:00:00:01:03", addresses("10.0.0.3/24", vip+"/32"))
	w.in("db2", "/redis", "10.7.0.1", vip, 6379, n(1))
	w.out("web", "/app", "10.7.0.1", vip, 6379, n(3))
	want := []string{"process:web/app -> service:db1/redis:6379 2/0 [server]", "process:web/app -> service:db2/redis:6379 3/0 [client server]"}
	w.expect(want...)
	w.rewire()
	w.expect(want...)
	w.link("web2", "lo", "", addresses(vip+"/32")) // as servers behind a balancer have it
	w.listen("web2", "/redis", "0.0.0.0", 6379)
	w.expect(want...)
}

func TestSameAddressesAtTwoSites(t *testing.T) {
	failed := model.Counters{Failed: 1, TimedOut: 1}
	dials := func(w *world, site string, c model.Counters) {
		w.out("web-"+site, "/app", "10.0.0.1", "10.0.0.5", 5432, c)
	}
	hears := func(w *world, site string) { w.in("db-"+site, "/postgres", "10.0.0.1", "10.0.0.5", 5432, n(1)) }
	meet := func(w *world, site, mac string) {
		w.sees("web-"+site, "10.0.0.5", mac+":05")
		w.sees("db-"+site, "10.0.0.1", mac+":01")
	}
	for name, tc := range map[string]struct {
		b     bool // has a database with an agent
		steps func(w *world)
		want  []string
	}{
		"the own one": {false, func(w *world) { meet(w, "a", macA); dials(w, "a", n(1)) }, []string{"process:web-a/app -> service:db-a/postgres:5432 1/0 [client]"}},
		"another site's, which alone has an agent": {false, func(w *world) {
			w.sees("web-b", "10.0.0.5", macB+":05")
			dials(w, "b", n(1))
		}, []string{"process:web-b/app -> " + absentDB + " 1/0 [client]"}},
		"another site's, and nobody answers here": {false, func(w *world) { dials(w, "b", failed) }, []string{"process:web-b/app -> " + absentDB + " 0/1 [client]"}},
		"another site's, whose clients have the same addresses": {false, func(w *world) {
			w.sees("web-b", "10.0.0.5", macB+":05")
			dials(w, "b", n(1))
			hears(w, "a")
			w.sees("db-a", "10.0.0.1", macA+":09")
		}, []string{"process:web-b/app -> " + absentDB + " 1/0 [client]", "unknown-host:10.0.0.1 -> service:db-a/postgres:5432 1/0 [server]"}},
		"each its own": {true, func(w *world) {
			for _, s := range [][2]string{{"a", macA}, {"b", macB}} {
				dials(w, s[0], n(1))
				hears(w, s[0])
				meet(w, s[0], s[1])
			}
		}, []string{
			"process:web-a/app -> service:db-a/postgres:5432 1/0 [client server]", "process:web-b/app -> service:db-b/postgres:5432 1/0 [client server]",
		}},
		"each its own, of which clients alone tell": {true, func(w *world) {
			for _, s := range [][2]string{{"a", macA}, {"b", macB}} {
				w.sees("web-"+s[0], "10.0.0.5", s[1]+":05")
				dials(w, s[0], n(1))
			}
		}, []string{
			"process:web-a/app -> service:db-a/postgres:5432 1/0 [client]", "process:web-b/app -> service:db-b/postgres:5432 1/0 [client]",
		}},
		"another site's, whose router is seen later": {false, func(w *world) {
			w.put(model.Name{Host: "web-b", Package: model.PackageSeen, Key: "eth0/10.0.0.254"}, nil)
			dials(w, "b", failed)
			w.expect("process:web-b/app -> service:db-a/postgres:5432 0/1 [client]") // nothing tells otherwise
			w.sees("web-b", "10.0.0.254", macB+":fe")
		}, []string{"process:web-b/app -> " + absentDB + " 0/1 [client]"}},
		"another site's, where another gateway is set later": {false, func(w *world) {
			other := func(i *model.Interface) { i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.253")} }
			w.link("web-b", "eth0", macB+":01", addresses("10.0.0.1/24"), other)
			dials(w, "b", failed)
			w.expect("process:web-b/app -> service:db-a/postgres:5432 0/1 [client]")
			w.link("web-b", "eth0", macB+":01", addresses("10.0.0.1/24"), func(i *model.Interface) { i.DefaultGateways = []netip.Addr{netip.MustParseAddr("10.0.0.254")} })
		}, []string{"process:web-b/app -> " + absentDB + " 0/1 [client]"}},
		"the router answers for others": {false, func(w *world) {
			w.sees("web-a", "10.0.0.5", macA+":fe")
			dials(w, "a", n(1))
		}, []string{"process:web-a/app -> service:db-a/postgres:5432 1/0 [client]"}},
		"another card of the host answers": {false, func(w *world) {
			w.link("db-a", "eth1", macA+":06")
			w.sees("web-a", "10.0.0.5", macA+":06")
			dials(w, "a", n(1))
		}, []string{"process:web-a/app -> service:db-a/postgres:5432 1/0 [client]"}},
		"what the kernel had before is not believed": {false, func(w *world) {
			w.sees("web-a", "10.0.0.5", macA+":07", func(s *model.Seen) { s.Unconfirmed = true })
			dials(w, "a", n(1))
		}, []string{"process:web-a/app -> service:db-a/postgres:5432 1/0 [client]"}},
		"through routers an address is whose it is": {false, func(w *world) {
			w.link("far", "eth0", "02:00:00:00:0c:01", addresses("10.7.0.1/24"))
			w.out("far", "/app", "10.7.0.1", "10.0.0.5", 5432, n(1))
		}, []string{"process:far/app -> service:db-a/postgres:5432 1/0 [client]"}},
		"nobody tells of the link": {false, func(w *world) {
			w.out("other", "/app", "10.0.0.7", "10.0.0.5", 5432, n(1))
		}, []string{"process:other/app -> service:db-a/postgres:5432 1/0 [client]"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.site("a", macA, true)
			w.site("b", macB, tc.b)
			w.expect() // from now on it is followed
			tc.steps(w)
			w.expect(tc.want...)
			w.rewire()
			w.expect(tc.want...)
		})
	}
}

// dockers are hosts with the bridge and the containers that each has: app, db at the same addresses.
func dockers(t *testing.T, hosts ...string) *world {
	w := newWorld(t)
	for i, host := range hosts {
		w.link(host, "eth0", fmt.Sprintf("02:00:00:00:00:%02x", i+1), addresses(fmt.Sprintf("192.168.0.%d/24", i+1)))
		w.link(host, "docker0", "02:42:00:00:00:01", addresses("172.17.0.1/16"), func(i *model.Interface) { i.Kind = "bridge" })
		w.link(host, "veth0", fmt.Sprintf("02:00:00:01:00:%02x", i), func(i *model.Interface) { i.Kind, i.Master = "veth", "docker0" })
		w.contained(host, "app", "172.17.0.3")
	}
	w.expect()
	return w
}

func netnsOf(host, name string) string { return "net:[" + host + name + "]" }

func (w *world) contained(host, name, addr string) {
	w.t.Helper()
	a := netip.MustParseAddr(addr).As4()
	mac := fmt.Sprintf("02:42:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3])
	w.link(host, "eth0", mac, addresses(addr+"/16"), func(i *model.Interface) { i.Kind, i.Netns = "veth", netnsOf(host, name) })
	w.sees(host, addr, mac, func(s *model.Seen) { s.Interface = "docker0" })
}

func (w *world) database(host string) {
	w.t.Helper()
	w.contained(host, "db", "172.17.0.2")
	w.listen(host, "/postgres", "0.0.0.0", 5432, func(l *model.Listener) { l.NetnsName = netnsOf(host, "db") })
}

// dials is what a container's program does; its database hears it.
func (w *world) dials(host, server string, c model.Counters) {
	w.t.Helper()
	d := w.dep(model.Out, "/app", "172.17.0.3", server, 5432, c)
	d.NetnsName = model.NetnsOfLives
	w.putDep(host, d)
}

func (w *world) answers(host, client string) {
	w.t.Helper()
	d := w.dep(model.In, "/postgres", client, "172.17.0.2", 5432, n(1))
	d.NetnsName = netnsOf(host, "db")
	w.putDep(host, d)
}

func TestSameContainersOnTwoHosts(t *testing.T) {
	failed := model.Counters{Failed: 1, Refused: 1}
	for name, tc := range map[string]struct {
		steps func(w *world)
		want  []string
	}{
		"each its own": {func(w *world) {
			for _, host := range []string{"h1", "h2"} {
				w.database(host)
				w.dials(host, "172.17.0.2", n(1))
				w.answers(host, "172.17.0.3")
			}
		}, []string{
			"process:h1/app -> service:h1/postgres:5432@net:[h1db] 1/0 [client server]", "process:h2/app -> service:h2/postgres:5432@net:[h2db] 1/0 [client server]",
		}},
		"the other host's is not it": {func(w *world) { w.database("h2"); w.dials("h1", "172.17.0.2", failed) }, []string{
			"process:h1/app -> service:172.17.0.2:5432 0/1 [client]",
		}},
		"the other host's hears a container of its own": {func(w *world) {
			w.database("h2")
			w.link("h2", "eth0", "", func(i *model.Interface) { i.Netns, i.State = netnsOf("h2", "app"), model.InterfaceGone })
			w.dials("h1", "172.17.0.2", failed)
			w.answers("h2", "172.17.0.3")
		}, []string{
			"process:h1/app -> service:172.17.0.2:5432 0/1 [client]", "unknown-host:172.17.0.3 -> service:h2/postgres:5432@net:[h2db] 1/0 [server]",
		}},
		"a container that has gone": {func(w *world) {
			w.database("h2")
			w.link("h1", "eth0", "", func(i *model.Interface) { i.Netns, i.State = netnsOf("h1", "app"), model.InterfaceGone })
			w.dials("h1", "172.17.0.2", failed)
		}, []string{"process:h1/app -> service:172.17.0.2:5432 0/1 [client]"}},
		"the bridge is wired": {func(w *world) {
			w.link("h1", "eth9", "02:00:00:00:09:01", func(i *model.Interface) { i.Master = "docker0" })
			w.database("h2")
			w.dials("h1", "172.17.0.2", n(1))
		}, []string{"process:h1/app -> service:h2/postgres:5432@net:[h2db] 1/0 [client]"}},
		"the bridge is wired later": {func(w *world) {
			w.database("h2")
			w.dials("h1", "172.17.0.2", n(1))
			w.expect("process:h1/app -> service:172.17.0.2:5432 1/0 [client]")
			w.link("h1", "eth9", "02:00:00:00:09:01", func(i *model.Interface) { i.Master = "docker0" })
		}, []string{"process:h1/app -> service:h2/postgres:5432@net:[h2db] 1/0 [client]"}},
		"a published port of the other, with the same container here": {func(w *world) {
			w.database("h1")
			w.database("h2")
			w.out("h1", "/app", "192.168.0.1", "192.168.0.2", 5432, n(1))
			w.translate("h2", "192.168.0.1", "192.168.0.2:5432", "192.168.0.1", "172.17.0.2:5432", 1)
			w.answers("h2", "192.168.0.1")
		}, []string{"process:h1/app -> service:h2/postgres:5432@net:[h2db] 1/0 [client server]"}},
		"a published port, dialled from a container": {func(w *world) {
			w.database("h1")
			w.database("h2")
			w.dials("h1", "192.168.0.2", n(1))
			w.translate("h1", "172.17.0.3", "192.168.0.2:5432", "192.168.0.1", "192.168.0.2:5432", 1)
			w.translate("h2", "192.168.0.1", "192.168.0.2:5432", "192.168.0.1", "172.17.0.2:5432", 1)
			w.answers("h2", "192.168.0.1")
		}, []string{"process:h1/app -> service:h2/postgres:5432@net:[h2db] 1/0 [client server]"}},
		"a published port that refuses": {func(w *world) {
			w.database("h1")
			w.database("h2")
			w.out("h1", "/app", "192.168.0.1", "192.168.0.2", 5432, failed)
			w.translate("h2", "192.168.0.1", "192.168.0.2:5432", "192.168.0.1", "172.17.0.2:5432", 1)
		}, []string{"process:h1/app -> service:h2/postgres:5432@net:[h2db] 0/1 [client]"}},
		"the container is another one by now": {func(w *world) {
			w.database("h1")
			w.dials("h1", "172.17.0.2", n(1))
			w.answers("h1", "172.17.0.9")
			w.link("h1", "eth0", "", func(i *model.Interface) { i.Netns, i.State = netnsOf("h1", "db"), model.InterfaceGone })
			w.contained("h1", "db2", "172.17.0.2")
			w.listen("h1", "/postgres", "0.0.0.0", 5432, func(l *model.Listener) { l.NetnsName = netnsOf("h1", "db2") })
		}, []string{
			"process:h1/app -> service:h1/postgres:5432@net:[h1db2] 1/0 [client]", "unknown-host:172.17.0.9 -> service:h1/postgres:5432@net:[h1db] 1/0 [server]",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := dockers(t, "h1", "h2")
			tc.steps(w)
			w.expect(tc.want...)
			w.rewire()
			w.expect(tc.want...)
		})
	}
}

// What is dialled at another site's address is not said to be missing on the host that has it here.
func TestUnmonitoredAtAnotherSite(t *testing.T) {
	w := newWorld(t)
	w.site("a", macA, true)
	w.site("b", macB, false)
	w.out("web-b", "/app", "10.0.0.1", "10.0.0.5", 6379, n(1))
	w.sees("web-b", "10.0.0.5", macB+":05")
	w.out("web-a", "/app", "10.0.0.1", "10.0.0.5", 8080, n(1))
	w.sees("web-a", "10.0.0.5", macA+":05")
	want := map[string]string{
		"service:10.0.0.5:6379": "1 program dials it, and no agent knows it",
		"service:10.0.0.5:8080": "1 program dials it, and db-a's agent sees nothing listen there",
	}
	for _, u := range w.Unmonitored() {
		if u.Kind == model.KindService && u.Why != want[u.ID] {
			t.Errorf("%s: %s, want %s", u.ID, u.Why, want[u.ID])
		}
		delete(want, u.ID)
	}
	if len(want) > 0 {
		t.Errorf("not told: %v", want)
	}
}
