package capture

import (
	"log/slog"
	"net/netip"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// Peers at one link-local address on two interfaces are two dependencies, of which each finds its edge
// in the kernel. What an interface was called nobody tells here: its namespace is not there.
func TestLinkLocalPeers(t *testing.T) {
	c := New(Config{Host: "web-17", Logger: slog.New(slog.DiscardHandler)})
	key := bpf.EdgeKey{Netns: 1, Port: 22, Proto: bpf.ProtoTCP, Direction: bpf.DirectionOut}
	key.Peer, key.Local = [16]byte{0: 0xfe, 1: 0x80, 15: 1}, [16]byte{0: 0xfe, 1: 0x80, 15: 2}
	var keys []bpf.EdgeKey
	for _, in := range []bool{false, true} {
		for _, scope := range []uint32{0, 7, 8} {
			key.Scope, key.Direction = scope, bpf.DirectionOut
			if in {
				key.Direction = bpf.DirectionIn
			}
			keys = append(keys, key)
			c.addEdge(&key, bpf.Owner{}, bpf.Image{Exe: "/bin/a"}, clock())
		}
	}
	for i, want := range []string{
		"out/bin/a/fe80::2->[fe80::1]:22/tcp@" + model.NetnsOfLives, "out/bin/a/fe80::2->[fe80::1%if7]:22/tcp@" + model.NetnsOfLives, "out/bin/a/fe80::2->[fe80::1%if8]:22/tcp@" + model.NetnsOfLives,
		"in/bin/a/fe80::1->[fe80::2]:22/tcp@net:[1]", "in/bin/a/fe80::1%if7->[fe80::2]:22/tcp@net:[1]", "in/bin/a/fe80::1%if8->[fe80::2]:22/tcp@net:[1]",
	} {
		e := c.edges.byKernel.get(keys[i])
		if e == nil || e.key() != keys[i] {
			t.Fatalf("edge of %+v is %+v", keys[i], e)
		}
		told := e.of.describe()
		wantOn := []string{"", "if7", "if8"}[i%3]
		if told.Key() != want || told.Interface != wantOn {
			t.Errorf("told as %q on %q, want %q", told.Key(), told.Interface, want)
		}
	}
	if c.edges.byKey.len() != len(keys) {
		t.Errorf("%d dependencies of %d edges", c.edges.byKey.len(), len(keys))
	}
}

// An interface that is made anew has another index and the name of before: it is the same dependency.
func TestInterfaceMadeAnew(t *testing.T) {
	table := newEdges()
	d := model.Dependency{Proto: "tcp", Direction: model.Out, Client: netip.IPv6Unspecified(), Server: netip.MustParseAddr("fe80::1"), Interface: "tun0"}
	for scope := range uint32(2) {
		table.add(bpf.EdgeKey{Scope: scope + 7, Proto: bpf.ProtoTCP, Direction: bpf.DirectionOut}, d)
	}
	if table.byKernel.len() != 2 || table.byKey.len() != 1 {
		t.Errorf("%d edges, %d dependencies", table.byKernel.len(), table.byKey.len())
	}
}
