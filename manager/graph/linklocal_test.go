package graph

import (
	"net/netip"
	"testing"

	"cassini/model"
)

// on is a dependency of /app or /sshd at the link-local addresses that all have: it dials fe80::1 from fe80::2.
func (w *world) on(host string, dir model.Direction, iface string) {
	w.t.Helper()
	exe := map[model.Direction]string{model.Out: "/app", model.In: "/sshd"}[dir]
	d := w.dep(dir, exe, "fe80::2", "fe80::1", 22, n(1))
	d.Interface = iface
	w.putDep(host, d)
}

func seenOn(iface string) func(*model.Seen) { return func(s *model.Seen) { s.Interface = iface } }

func TestLinkLocalPeers(t *testing.T) {
	const joined = "process:a/app -> service:b/sshd:22 1/0 [client server]"
	for name, tc := range map[string]struct {
		steps func(w *world)
		want  []string
	}{
		"two that nobody knows": {func(w *world) { w.on("a", model.Out, "eth0"); w.on("a", model.Out, "eth1") }, []string{
			"process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", "process:a/app -> service:a/[fe80::1%eth1]:22 1/0 [client]",
		}},
		"of two hosts, which may mean two": {func(w *world) { w.on("a", model.Out, "eth0"); w.on("c", model.Out, "eth0") }, []string{
			"process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", "process:c/app -> service:c/[fe80::1%eth0]:22 1/0 [client]",
		}},
		"two clients that nobody knows": {func(w *world) { w.on("b", model.In, "eth0"); w.on("b", model.In, "eth1") }, []string{
			"unknown-host:b/fe80::2%eth0 -> service:b/sshd:22 1/0 [server]", "unknown-host:b/fe80::2%eth1 -> service:b/sshd:22 1/0 [server]",
		}},
		"both ends, and nobody was seen":    {func(w *world) { w.on("a", model.Out, "eth0"); w.on("b", model.In, "eth0") }, []string{joined}},
		"of agents that name no interface":  {func(w *world) { w.on("a", model.Out, ""); w.on("b", model.In, "") }, []string{joined}},
		"of one that does and one that not": {func(w *world) { w.on("a", model.Out, "eth0"); w.on("b", model.In, "") }, []string{joined}},
		"another was seen": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("b", model.In, "eth0")
			w.expect(joined)
			w.sees("a", "fe80::1", macA+":99")
		}, []string{"process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", "unknown-host:b/fe80::2%eth0 -> service:b/sshd:22 1/0 [server]"}},
		"another was seen by the server": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("b", model.In, "eth0")
			w.sees("b", "fe80::2", macA+":99")
		}, []string{"process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", "unknown-host:b/fe80::2%eth0 -> service:b/sshd:22 1/0 [server]"}},
		"another was seen elsewhere": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("b", model.In, "eth0")
			w.sees("a", "fe80::1", macA+":99", seenOn("eth1"))
		}, []string{joined}},
		"each at one link of the same host": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("a", model.Out, "eth1")
			w.on("b", model.In, "eth0")
			w.on("c", model.In, "eth0")
			w.sees("a", "fe80::1", macB+":01")
			w.sees("a", "fe80::1", macA+":03", seenOn("eth1"))
		}, []string{joined, "process:a/app -> service:c/sshd:22 1/0 [client server]"}},
		"one of two links is the server's": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("a", model.Out, "eth1")
			w.on("b", model.In, "eth0")
			w.sees("a", "fe80::1", macA+":99")
			w.sees("a", "fe80::1", macB+":01", seenOn("eth1"))
		}, []string{"process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", joined}},
		"its interface is told later": {func(w *world) {
			w.on("a", model.Out, "eth2")
			w.on("b", model.In, "eth0")
			w.sees("a", "fe80::1", macA+":99", seenOn("eth2"))
			w.expect(joined) // perhaps
			w.link("a", "eth2", macA+":04")
		}, []string{"process:a/app -> service:a/[fe80::1%eth2]:22 1/0 [client]", "unknown-host:b/fe80::2%eth0 -> service:b/sshd:22 1/0 [server]"}},
		"its card is told later": {func(w *world) {
			w.on("a", model.Out, "eth0")
			w.on("b", model.In, "eth0")
			w.sees("a", "fe80::1", macB+":07")
			w.expect("process:a/app -> service:a/[fe80::1%eth0]:22 1/0 [client]", "unknown-host:b/fe80::2%eth0 -> service:b/sshd:22 1/0 [server]")
			w.link("b", "eth1", macB+":07")
		}, []string{joined}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.link("a", "eth0", macA+":01")
			w.link("a", "eth1", macA+":02")
			w.link("b", "eth0", macB+":01")
			w.link("c", "eth0", macA+":03")
			w.expect() // from now on it is followed
			tc.steps(w)
			w.expect(tc.want...)
			w.rewire()
			w.expect(tc.want...)
		})
	}
}

// The address of the other end has the interface of whoever tells behind it, and is found with and without.
func TestLinkLocalAddresses(t *testing.T) {
	for _, tc := range []struct {
		host, id, found, without string
		dir                      model.Direction
		ends                     string
	}{
		{"a", "service:a/[fe80::1%eth1]:22", "fe80::1%eth1", "fe80::1", model.Out, "fe80::2 fe80::1%eth1 eth1"},
		{"b", "unknown-host:b/fe80::2%eth1", "fe80::2%eth1", "fe80::2", model.In, "fe80::2%eth1 fe80::1 eth1"},
	} {
		w := newWorld(t)
		w.on(tc.host, tc.dir, "eth1")
		deps, _ := w.Dependencies(DependencyFilter{})
		if d := deps[0]; d.Client.Addr.String()+" "+d.Server.Addr.String()+" "+d.Interface != tc.ends {
			t.Errorf("between %s and %s on %q, want %s", d.Client.Addr, d.Server.Addr, d.Interface, tc.ends)
		}
		for _, text := range []string{tc.found, tc.without} {
			if found := w.Find(text); len(found) != 1 || found[0].ID != tc.id || found[0].Host != "" {
				t.Errorf("%s is %+v, want %s", text, found, tc.id)
			}
		}
		if n, ok := w.Node(tc.id); !ok || n.Attrs["addr"] != netip.MustParseAddr(tc.found) {
			t.Errorf("%s is %+v", tc.id, n)
		}
		if e := w.Edges(EdgeFilter{Kinds: []string{model.EdgeDependsOn}}); len(e) != 1 || e[0].Attrs["interface"] != "eth1" {
			t.Errorf("%+v", e)
		}
	}
}
