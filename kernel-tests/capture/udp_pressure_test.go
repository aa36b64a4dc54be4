package capture

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// What was bound or connected before is there at once; what comes later through
// the same sockets counts.
func TestUDPExistingSockets(t *testing.T) {
	server := bind(t, "udp4", "127.0.0.1", freePort(t))
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	connected := dialUDP(t, to)
	unconnected := bind(t, "udp4", "127.0.0.5", 0)
	go echo(server)
	ask(t, unconnected, to)
	var inside *net.UDPConn
	inNetns(t, func() { inside = bind(t, "udp4", "127.0.0.1", freePort(t)) })
	r := startUDP(t, bpf.Limits{})
	l := r.listener("the service", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == to.Port() })
	if !l.SinceApprox {
		t.Errorf("listener is %+v", l)
	}
	checkSelf(t, l.Process)
	if l := r.listener("in a namespace", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(inside) }); l.NetnsName == "" {
		t.Errorf("listener is %+v", l)
	}
	got := r.udpEdge("connected before", model.Out, to.Port(), func(d model.Dependency) bool { return d.Adopted == 1 })
	if got.Open != 1 || got.Connections != 0 || got.Client.String() != "127.0.0.1" {
		t.Errorf("counters are %+v", got)
	}
	checkSelf(t, got.Process)
	ask(t, unconnected, to)
	for _, direction := range []model.Direction{model.Out, model.In} {
		r.udpEdge("later", direction, to.Port(), func(d model.Dependency) bool {
			return d.Connections == 1 && d.Client.String() == "127.0.0.5"
		})
	}
	r.notClientOf(unconnected)
	_ = connected.Close()
	r.udpEdge("closed", model.Out, to.Port(), func(d model.Dependency) bool { return d.Adopted == 1 && d.Open == 0 })
	_ = server.Close()
	r.listener("ended", func(l model.Listener) bool {
		return l.Proto == "udp" && l.Port == to.Port() && l.State == model.StateEnded
	})
}

func TestUDPNetworkNamespaces(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	var server *net.UDPConn
	inNetns(t, func() {
		server = bind(t, "udp4", "0.0.0.0", freePort(t))
		go echo(server)
		client := bind(t, "udp4", "", 0)
		ask(t, client, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), udpPort(server)))
		_ = client.Close()
		for _, direction := range []model.Direction{model.Out, model.In} {
			got := r.udpEdge(string(direction), direction, udpPort(server), func(d model.Dependency) bool { return d.Connections == 1 })
			if got.NetnsName == "" || got.Client.String() != "127.0.0.1" || got.Server.String() != "127.0.0.1" {
				t.Errorf("%s: %+v", direction, got)
			}
		}
	})
}

// datagrams is 20,000 datagrams over 1,000 edges, less where a virtual machine
// without acceleration runs them.
func datagrams() (edges, each int) {
	if inVM() {
		return 100, 20
	}
	return 1000, 20
}

// sprinkle sends from one socket to many addresses, round after round.
func sprinkle(t *testing.T, port uint16, edges, each int) {
	t.Helper()
	client := bind(t, "udp4", "127.0.0.1", 0)
	for range each {
		for i := range edges {
			to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 2, byte(i >> 8), byte(i)}), port)
			if _, err := client.WriteToUDPAddrPort([]byte("x"), to); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A burst while nobody reads events loses no edge, and each flow counts once.
func TestUDPBurst(t *testing.T) {
	r := startUDP(t, bpf.Limits{RingBytes: uint32(2 * os.Getpagesize())})
	edges, each := datagrams()
	server := bind(t, "udp4", "0.0.0.0", freePort(t))
	r.listener("the server", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == udpPort(server) })
	r.pause(func() { sprinkle(t, udpPort(server), edges, each) })
	waitFor(r, "every edge, counted once", func() []bool {
		r.refresh()
		exact := bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
			return d.Proto == "udp" && d.Port == udpPort(server) && d.Direction == model.Out && d.Connections == 1 && d.Attempts == 1
		})
		if len(exact) != edges {
			return nil
		}
		return []bool{true}
	})
	stats, err := r.Stats()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d datagrams over %d edges; transitions %v, drops %v, resyncs %d", edges*each, edges, stats.Transitions, stats.Drops, stats.Resyncs)
	if stats.Drops["ring_full"] == 0 || stats.Drops["udp_edges_full"]+stats.Drops["peers_full"]+stats.Drops["flows_full"] != 0 {
		t.Errorf("drops are %v", stats.Drops)
	}
}

// Flows that find no room for their edge are counted.
func TestUDPFullEdgeMap(t *testing.T) {
	r := startUDP(t, bpf.Limits{Edges: 50})
	const edges = 200
	port := uint16(freePort(t))
	sprinkle(t, port, edges, 3)
	waitFor(r, "each flow is on an edge or counted", func() []bool {
		r.refresh()
		kept := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Proto == "udp" && d.Port == port })
		stats, err := r.Stats()
		if err != nil || len(kept) > 25 || len(kept)+int(stats.Drops["udp_edges_full"]) < edges {
			return nil
		}
		return []bool{true}
	})
}

// However many addresses send datagrams, an edge of TCP finds its place.
func TestUDPLeavesRoomForTCP(t *testing.T) {
	const limit, share = 2048, 1024
	r := startUDP(t, bpf.Limits{Edges: limit})
	port := uint16(freePort(t))
	sprinkle(t, port, 2*limit, 1)
	fill := func() map[string]int {
		stats, err := r.Stats()
		if err != nil {
			t.Fatal(err)
		}
		used := map[string]int{"udp_edges_full": int(stats.Drops["udp_edges_full"]), "edges_full": int(stats.Drops["edges_full"])}
		for _, m := range stats.Maps {
			used[m.Name] = m.Used
		}
		return used
	}
	waitFor(r, "UDP's share is full", func() []bool {
		r.refresh()
		if used := fill(); used["udp_edges"] != share || used["udp_edges_full"] < 2*limit-share {
			return nil
		}
		return []bool{true}
	})
	const n = 7
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	talk(t, l, l.Addr().String(), n)
	for _, direction := range []model.Direction{model.Out, model.In} {
		got := r.dependency(string(direction), func(d model.Dependency) bool {
			return d.Proto == "tcp" && d.Port == portOf(l) && d.Direction == direction && d.Closed == n
		})
		if got.Connections != n || got.Open != 0 || got.Failed != 0 {
			t.Errorf("%s: %+v", direction, got.Counters)
		}
	}
	if used := fill(); used["edges_full"] != 0 || used["udp_edges"] != share {
		t.Errorf("TCP lost connections, or UDP has more than its share: %v", used)
	}
}

// A socket has no endless number of peers.
func TestUDPPeersAreBounded(t *testing.T) {
	const bound = 4096
	r := startUDP(t, bpf.Limits{})
	port := uint16(freePort(t))
	sprinkle(t, port, bound+100, 1)
	waitFor(r, "what is beyond is counted", func() []bool {
		r.refresh()
		kept := bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Proto == "udp" && d.Port == port })
		if stats, err := r.Stats(); err != nil || len(kept) != bound || stats.Drops["peers_full"] < 100 {
			return nil
		}
		return []bool{true}
	})
}

// A real server of names, and a client that is none of ours.
func TestUDPNames(t *testing.T) {
	dnsmasq, err := exec.LookPath("dnsmasq")
	if err != nil {
		if inVM() {
			t.Skip("NOT TESTED: there is no dnsmasq in this virtual machine")
		}
		t.Fatalf("dnsmasq is missing; run: tools/setup test: %v", err)
	}
	r := startUDP(t, bpf.Limits{})
	port := uint16(20_000 + rand.IntN(12_000)) // below those that the kernel gives to clients, of TCP too
	cmd := exec.Command(dnsmasq, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
		"--port="+strconv.Itoa(int(port)), "--listen-address=127.0.0.1", "--bind-interfaces", "--address=/cassini.test/10.1.2.3")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); t.Failed() {
			t.Logf("dnsmasq: %v: %s", err, said.String())
		}
	}()
	l := r.listener("dnsmasq", func(l model.Listener) bool { return l.Proto == "udp" && l.Port == port })
	if l.PID != cmd.Process.Pid || l.Program() != "dnsmasq" {
		t.Errorf("process is %+v", l.Process)
	}
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
	}}
	const queries = 5
	for range queries {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if addrs, err := resolver.LookupNetIP(ctx, "ip4", "cassini.test"); err != nil || len(addrs) != 1 {
			t.Fatalf("answer is %v, %v", addrs, err)
		}
		cancel()
	}
	in := r.udpEdge("the server's end", model.In, port, func(d model.Dependency) bool { return d.Connections >= queries })
	if in.Program() != "dnsmasq" || in.PID != cmd.Process.Pid {
		t.Errorf("server is %+v", in.Process)
	}
	out := r.udpEdge("the client's end", model.Out, port, func(d model.Dependency) bool { return d.Connections == in.Connections && d.Open == 0 })
	checkSelf(t, out.Process)
	if wrong := bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
		return d.Proto == "udp" && d.Direction == model.Out && d.Program() == "dnsmasq"
	}); len(wrong) != 0 {
		t.Errorf("the server is a client of %+v", wrong)
	}
}
