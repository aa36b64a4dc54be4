package capture

import (
	"errors"
	"net/netip"
	"os"
	"testing"

	"cassini/model"

	"golang.org/x/sys/unix"
)

func sctpService(port uint16) func(model.Listener) bool {
	return func(l model.Listener) bool { return l.Port == port && l.Proto == "sctp" }
}

func sctpEdge(port uint16, direction model.Direction) func(model.Dependency) bool {
	return func(d model.Dependency) bool {
		return d.Port == port && d.Proto == "sctp" && d.Direction == direction
	}
}

// SCTP as it comes and goes while the capture runs.
func TestSCTP(t *testing.T) {
	r := startSCTP(t)
	for _, c := range []struct {
		name string
		run  func(*testing.T, *rig)
	}{
		{"services", sctpServices}, {"associations", sctpAssociations}, {"many peers", sctpManyPeers},
		{"dialled address", sctpDialledAddress}, {"failures", sctpFailures}, {"many", sctpMany},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, r) })
	}
	if stats, err := r.Stats(); err != nil || stats.Drops["unattributed"] != 0 || stats.Drops["edge_lost"] != 0 || stats.Transitions["stale"] != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
}

// Both kinds of sockets are services while they listen, of the process that asked.
func sctpServices(t *testing.T, r *rig) {
	for _, style := range sctpStyles {
		for _, address := range []string{"127.0.0.1", "0.0.0.0", "::1", "::"} {
			t.Run(style.name+" "+address, func(t *testing.T) {
				fd, port := sctpListen(t, style.kind, address)
				l := r.listener("service", sctpService(port))
				if l.Addr.String() != address || l.DualStack != (address == "::") || l.State != model.StateListening || l.SinceApprox || l.Sockets != 1 {
					t.Errorf("%+v", l)
				}
				checkSelf(t, l.Process)
				closeFD(t, fd)
				r.listener("ended", func(l model.Listener) bool { return sctpService(port)(l) && l.State == model.StateEnded })
			})
		}
	}
}

// Associations of either kind of socket at either end: who dialled whom, how often, how many
// are open.
func sctpAssociations(t *testing.T, r *rig) {
	const each = 3
	for _, c := range []struct{ listens, dials, client, server string }{
		{"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"::1", "::1", "::1", "::1"},
		{"::", "::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1"},
	} {
		for _, server := range sctpStyles {
			for _, client := range sctpStyles {
				t.Run(client.name+" to "+server.name+" at "+c.dials, func(t *testing.T) {
					listener, port := sctpListen(t, server.kind, c.listens)
					defer closeFD(t, listener)
					to := netip.AddrPortFrom(netip.MustParseAddr(c.dials), port)
					var dialled, taken []int
					for range each {
						dialled = append(dialled, sctpDial(t, client.kind, to))
						taken = append(taken, sctpTake(t, listener, server.kind))
					}
					want := func(d model.Dependency, open, closed uint64) bool {
						return d.Connections == each && d.Open == open && d.Closed == closed && d.Failed == 0 && d.Adopted == 0 &&
							d.Client.String() == c.client && d.Server.String() == c.server
					}
					check := func(when string, open, closed uint64) {
						out := r.settled("out, "+when, sctpEdge(port, model.Out), func(d model.Dependency) bool { return want(d, open, closed) && d.Attempts == each })
						in := r.settled("in, "+when, sctpEdge(port, model.In), func(d model.Dependency) bool { return want(d, open, closed) && d.Attempts == 0 })
						checkSelf(t, out.Process)
						checkSelf(t, in.Process)
					}
					check("open", each, 0)
					closeFD(t, dialled...)
					closeFD(t, taken...)
					check("closed", 0, each)
				})
			}
		}
	}
}

// One socket with many associations has one dependency a server.
func sctpManyPeers(t *testing.T, r *rig) {
	client := sctpSocket(t, unix.AF_INET, unix.SOCK_SEQPACKET)
	defer closeFD(t, client)
	var ports []uint16
	for range 3 {
		listener, port := sctpListen(t, unix.SOCK_SEQPACKET, "127.0.0.1")
		defer closeFD(t, listener)
		sctpSend(t, client, unix.SOCK_SEQPACKET, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
		sctpTake(t, listener, unix.SOCK_SEQPACKET)
		ports = append(ports, port)
	}
	for _, port := range ports {
		d := r.settled("out", sctpEdge(port, model.Out), func(d model.Dependency) bool { return d.Connections == 1 && d.Open == 1 })
		if d.PID != os.Getpid() {
			t.Errorf("port %d: process %+v", port, d.Process)
		}
	}
}

// What was there before the capture is adopted, with its direction.
func TestSCTPBefore(t *testing.T) {
	loadSCTP(t)
	ports, open := make([]uint16, len(sctpStyles)), make([][]int, len(sctpStyles))
	for i, style := range sctpStyles {
		listener, port := sctpListen(t, style.kind, "127.0.0.1")
		defer closeFD(t, listener)
		ports[i] = port
		for range 3 {
			to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
			client := sctpDial(t, style.kind, to)
			open[i] = append(open[i], client, sctpTake(t, listener, style.kind))
			if style.kind == unix.SOCK_SEQPACKET { // a second message leaves when the client too has heard that all is well
				sctpSend(t, client, style.kind, to)
				sctpTake(t, listener, style.kind)
			}
		}
	}
	r := startSCTP(t)
	for i, style := range sctpStyles {
		t.Run(style.name, func(t *testing.T) {
			if l := r.listener("service", sctpService(ports[i])); l.PID != os.Getpid() || !l.SinceApprox {
				t.Errorf("%+v", l)
			}
			for _, direction := range []model.Direction{model.Out, model.In} {
				d := r.dependency(string(direction), sctpEdge(ports[i], direction))
				if d.Adopted != 3 || d.Open != 3 || d.Connections != 0 || d.Client.String() != "127.0.0.1" || d.Server.String() != "127.0.0.1" {
					t.Errorf("%s: %v -> %v %+v", direction, d.Client, d.Server, d.Counters)
				}
				checkSelf(t, d.Process)
			}
			closeFD(t, open[i]...)
			for _, direction := range []model.Direction{model.Out, model.In} {
				r.dependency("closed", func(d model.Dependency) bool {
					return sctpEdge(ports[i], direction)(d) && d.Open == 0 && d.Closed == 3
				})
			}
		})
	}
}

// Every one of many is counted at both ends, and nothing else is.
func sctpMany(t *testing.T, r *rig) {
	const many = 200
	r.refresh()
	before, err1 := r.Stats()
	listener, port := sctpListen(t, unix.SOCK_STREAM, "127.0.0.1")
	defer closeFD(t, listener)
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)
	for range many {
		client := sctpDial(t, unix.SOCK_STREAM, to)
		closeFD(t, sctpTake(t, listener, unix.SOCK_STREAM), client)
	}
	for _, direction := range []model.Direction{model.Out, model.In} {
		d := r.dependency(string(direction), func(d model.Dependency) bool {
			return sctpEdge(port, direction)(d) && d.Open == 0 && d.Closed == many
		})
		if d.Connections != many || d.Failed != 0 {
			t.Errorf("%s: %+v", direction, d.Counters)
		}
	}
	after, err2 := r.Stats()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"sctp_established", "sctp_accepted", "sctp_closed"} {
		want := uint64(many)
		if kind == "sctp_closed" {
			want *= 2
		}
		if got := after.Transitions[kind] - before.Transitions[kind]; got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
	if edges := after.Edges - before.Edges; edges != 2 {
		t.Errorf("%d edges, want one at each end", edges)
	}
}
