package capture

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// pause runs fn while nobody reads events.
func (r *rig) pause(fn func()) { r.Hold(fn) }

// scale is 100,000 connections over 1,000 edges, less where a virtual machine
// without acceleration would take an hour.
func scale() (edges, each int) {
	if inVM() {
		return 100, 10
	}
	return 1000, 100
}

// storm makes connections to many addresses at full speed and closes both ends.
// Connections end by reset, so that ports are free again at once.
func storm(t *testing.T, l *net.TCPListener, edges, each int) {
	t.Helper()
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	})
	var clients sync.WaitGroup
	const workers = 8
	for w := range workers {
		clients.Go(func() {
			for i := w; i < edges; i += workers {
				address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), portOf(l)).String()
				for range each {
					conn, err := net.Dial("tcp", address)
					if err != nil {
						t.Error(err)
						return
					}
					// Reset before the server has it, a connection may never come to be there.
					_, _ = conn.Read(make([]byte, 1))
					_ = conn.(*net.TCPConn).SetLinger(0)
					_ = conn.Close()
				}
			}
		})
	}
	clients.Wait()
	_ = l.Close()
	serving.Wait()
}

// check waits until every edge of the storm is there, at both ends, with its exact
// counts of connections and closes. Only closes that the kernel kept from eBPF may miss.
func check(t *testing.T, r *rig, port uint16, edges, each int, hidden func() uint64) {
	t.Helper()
	waitFor(r, fmt.Sprintf("%d edges with %d connections at both ends, all closed", edges, each), func() []bool {
		r.refresh()
		var closed uint64
		exact := bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
			if d.Port != port {
				return false
			}
			closed += d.Closed
			return d.Connections == uint64(each) && d.Failed == 0
		})
		missing := uint64(2*edges*each) - closed
		if len(exact) != 2*edges || missing > hidden() {
			return nil
		}
		if missing > 0 {
			t.Logf("THIS KERNEL HIDES SOME TASKS FROM EBPF: %d closes happened in the time of init, %d are missing", hidden(), missing)
		}
		return []bool{true}
	})
}

func TestEveryEdgeAndEveryCount(t *testing.T) {
	r := start(t, bpf.Limits{})
	edges, each := scale()
	l := listen(t, "tcp4", "0.0.0.0:0", false)
	hidden := hiddenCloses(t, portOf(l))
	storm(t, l, edges, each)
	check(t, r, portOf(l), edges, each, hidden)
	stats, err := r.Stats()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d connections over %d edges; transitions %v, drops %v, resyncs %d", edges*each, edges, stats.Transitions, stats.Drops, stats.Resyncs)
	t.Logf("programs %+v", r.kernel.RunTimes())
	for _, reason := range []string{"edges_full", "sockets_full", "edge_lost", "bad_event", "listeners_full"} {
		if stats.Drops[reason] != 0 {
			t.Errorf("dropped %d: %s", stats.Drops[reason], reason)
		}
	}
}

// A ring buffer that holds three events, and nobody reading it, loses no edge.
func TestFullRingLosesNoEdge(t *testing.T) {
	r := start(t, bpf.Limits{RingBytes: uint32(2 * os.Getpagesize())})
	const edges, each = 100, 2
	l := listen(t, "tcp4", "0.0.0.0:0", false)
	ended := listen(t, "tcp4", "127.0.0.1:0", false)
	r.listener("the other listener", func(l model.Listener) bool { return l.Port == portOf(ended) })
	hidden := hiddenCloses(t, portOf(l))
	r.pause(func() {
		storm(t, l, edges, each)
		_ = ended.Close()
	})
	check(t, r, portOf(l), edges, each, hidden)
	stats, err := r.Stats()
	if err != nil || stats.Drops["ring_full"] == 0 || stats.Resyncs == 0 {
		t.Errorf("drops %v, resyncs %d, %v: the ring was never full, so this proves nothing", stats.Drops, stats.Resyncs, err)
	}
	for _, port := range []uint16{portOf(l), portOf(ended)} {
		r.listener("ended although its event was dropped", func(l model.Listener) bool {
			return l.Port == port && l.State == model.StateEnded
		})
	}
}

// Connections that find no room for their edge are counted, each end once.
func TestFullEdgeMapCounts(t *testing.T) {
	r := start(t, bpf.Limits{Edges: 50, WithoutUDP: true}) // others' datagrams would count
	const edges, each = 100, 3
	l := listen(t, "tcp4", "0.0.0.0:0", false)
	storm(t, l, edges, each)
	var drops map[string]uint64
	waitFor(r, "every connection counted at both ends, on its edge or as one without room", func() []bool {
		r.refresh()
		stats, err := r.Stats()
		if err != nil {
			t.Fatal(err)
		}
		drops = stats.Drops
		var counted uint64
		for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == portOf(l) }) {
			counted += d.Connections + d.Failed
		}
		// What others on this machine find no room for is counted as well.
		if all := counted + drops["edges_full"]; all < 2*edges*each || inVM() && all > 2*edges*each {
			return nil
		}
		return []bool{true}
	})
	if drops["edges_full"] == 0 {
		t.Error("the map was never full, so this proves nothing")
	}
	stats, err := r.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if events := stats.Events["full"]; events == 0 {
		t.Errorf("user space was not told: %v", stats.Events)
	}
}
