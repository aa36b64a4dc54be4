package capture

import (
	"fmt"
	"net"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// hold opens connections and keeps them.
func hold(t *testing.T, l *net.TCPListener, n int) (ends []net.Conn) {
	t.Helper()
	for range n {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, client, server)
	}
	t.Cleanup(func() { letGo(ends) })
	return ends
}

func letGo(ends []net.Conn) {
	for _, end := range ends {
		_ = end.Close()
	}
}

// Connections that find their bucket full are kept in the overflow; those that
// find no room there either are counted as such; places are used again.
func TestTableOfConnectionsOverflows(t *testing.T) {
	r := start(t, bpf.Limits{Connections: 64})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	// sum of connections, closes and drops on the port
	sum := func() (opened, closed, full uint64) {
		r.refresh()
		for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool { return d.Port == portOf(l) }) {
			opened += d.Connections
			closed += d.Closed
		}
		stats, err := r.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return opened, closed, stats.Drops["sockets_full"]
	}
	expect := func(what string, match func(opened, closed, full uint64) bool) {
		t.Helper()
		waitFor(r, what, func() []bool {
			if match(sum()) {
				return []bool{true}
			}
			return nil
		})
	}
	const few, many = 34, 100
	held := hold(t, l, few) // 68 for 64 places
	// Others' connections take places as well, and those that find none count: nothing is
	// less than it must be, and where nobody else is, nothing is more.
	all := func(counted, ends uint64) bool { return counted == ends || counted > ends && !inVM() }
	expect("all there", func(opened, closed, full uint64) bool {
		return all(opened+full, 2*few) && closed == 0 && (full < few || !inVM())
	})
	if overflow, err := r.kernel.Overflow(); err != nil || overflow == 0 {
		t.Errorf("overflow holds %d, %v: it was never used, so this proves nothing", overflow, err)
	}
	letGo(held)
	expect("all closed", func(opened, closed, full uint64) bool { return opened == closed && all(opened+full, 2*few) })
	if overflow, err := r.kernel.Overflow(); err != nil || overflow != 0 && inVM() {
		t.Errorf("overflow holds %d, %v after all was closed", overflow, err)
	}
	_, before, fullBefore := sum()
	held = hold(t, l, many) // more than there is room for: 64 and 16
	expect("each end counted or without room", func(opened, closed, full uint64) bool {
		return all(opened-before+full-fullBefore, 2*many) && full-fullBefore >= 2*many-80
	})
	letGo(held)
	expect("all closed again", func(opened, closed, full uint64) bool { return opened == closed })
}

// An edge that is evicted leaves its place to others, but not at once, and what
// its open connections do afterwards is not counted on another's. One connection of somebody
// else takes a place of the two that there are: once undisturbed is enough.
func TestEviction(t *testing.T) {
	var wrong []string
	for try := range 20 {
		if wrong = evictTwo(t); wrong == nil {
			return
		}
		t.Logf("try %d: %q", try, wrong)
		if inVM() {
			break // nobody disturbs
		}
	}
	t.Errorf("%q", wrong)
}

// evictTwo is one try. It tells what was not as it should be.
func evictTwo(t *testing.T) (wrong []string) {
	t.Helper()
	kernel, err := bpf.OpenTCP(bpf.Limits{Edges: 2, WithoutUDP: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kernel.Close() }()
	errorf := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	edges := func() map[bpf.EdgeKey]bpf.Edge {
		all := make(map[bpf.EdgeKey]bpf.Edge)
		if err := kernel.Edges(func(_ uint32, edge *bpf.Edge) { all[edge.Key] = *edge }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	evict := func(keys ...bpf.EdgeKey) (last []bpf.Edge) {
		if err := kernel.Evict(keys, func(_ bpf.EdgeKey, edge *bpf.Edge, _ *bpf.Health) { last = append(last, *edge) }); err != nil {
			t.Fatal(err)
		}
		return last
	}
	counters := func() bpf.Counters {
		c, err := kernel.Counters()
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := listen(t, "tcp4", "127.0.0.1:0", false)
	held := hold(t, first, 3)
	there := edges()
	if len(there) != 2 {
		errorf("%d edges, want one at each end: %+v", len(there), there)
		return wrong
	}
	for key, edge := range there {
		if last := evict(key); len(last) != 1 || last[0].Connections != 3 || last[0].Connections != edge.Connections {
			errorf("evicted with %+v, was %+v", last, edge)
		}
	}
	if left := edges(); len(left) != 0 {
		errorf("evicted edges are still there: %+v", left)
	}
	// One place was given back by the second eviction; the other waits for the next.
	second := listen(t, "tcp4", "127.0.0.1:0", false)
	hold(t, second, 1)
	if now, c := edges(), counters(); len(now) != 1 || c.EdgesFull != 1 {
		errorf("%d edges and %d without room, want one and one", len(now), c.EdgesFull)
	}
	evict()
	third := listen(t, "tcp4", "127.0.0.1:0", false)
	hold(t, third, 1)
	if now := edges(); len(now) != 2 {
		errorf("%d edges, want two: the places are not used again", len(now))
	}
	before := counters().EdgeLost
	letGo(held) // of the edges that are no more
	lost := counters().EdgeLost - before
	for deadline := time.Now().Add(patience); lost < 6 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		lost = counters().EdgeLost - before // the last packets may be on their way
	}
	if lost != 6 {
		errorf("%d closes of evicted edges are told, want 6", lost)
	}
	for key, edge := range edges() {
		if edge.Connections != 1 || edge.Closed != 0 {
			errorf("%+v counts another's connections: %+v", key, edge)
		}
	}
	return wrong
}
