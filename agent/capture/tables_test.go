package capture

import (
	"reflect"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// clock is noon when the kernel's monotonic clock shows an hour.
func clock() bpf.Clock {
	return bpf.Clock{Wall: noon, MonoNs: uint64(time.Hour), BootNs: uint64(time.Hour)}
}

func edgeKey(port uint16, direction uint8) bpf.EdgeKey {
	return bpf.EdgeKey{Port: port, Proto: 6, Direction: direction}
}

func addEdge(t *edges, port uint16, direction uint8) *edge {
	return addKey(t, edgeKey(port, direction))
}

// addKey adds an edge with what describes it.
func addKey(t *edges, key bpf.EdgeKey) *edge {
	d := model.Dependency{
		Proto: protoName(key.Proto), Port: key.Port, Direction: toDirection(key.Direction), Client: bpf.Addr(key.Peer), Server: bpf.Addr(key.Local),
	}
	if d.Direction == model.Out {
		d.Client, d.Server = d.Server, d.Client
	}
	return t.add(key, d)
}

// idleSince counts one connection that closed at the minute.
func idleSince(minute int) *bpf.Edge {
	return &bpf.Edge{Attempts: 1, Connections: 1, Closed: 1, LastNs: uint64(minute) * uint64(time.Minute)}
}

func TestEvictionTakesTheLongestIdle(t *testing.T) {
	const limit = 20
	for _, c := range []struct {
		name  string
		edges int
		set   func(i int) *bpf.Edge
		want  []uint16
	}{
		{"below nine tenths nothing goes", 17, idleSince, nil},
		{"down to three quarters, oldest first", 18, func(i int) *bpf.Edge { return idleSince(18 - i) }, []uint16{17, 16, 15}},
		{"not what was used within the minute", 20, func(i int) *bpf.Edge { return idleSince(60 - i%2*(30-i)) }, []uint16{1, 3, 5, 7, 9}},
		{"not what is open", 20, func(i int) *bpf.Edge {
			e := idleSince(1)
			if i != 4 {
				e.Closed = 0
			}
			return e
		}, []uint16{4}},
		{"not what is being opened", 20, func(i int) *bpf.Edge {
			e := idleSince(1)
			if i != 5 {
				e.Attempts++
			}
			return e
		}, []uint16{5}},
		{"not what waits for a sign of use", 20, func(i int) *bpf.Edge {
			e := idleSince(1)
			if i != 7 {
				e.Waiting = 1
			}
			return e
		}, []uint16{7}},
		{"failed attempts are over", 20, func(i int) *bpf.Edge {
			e := idleSince(59 + 1)
			if i == 6 {
				e = &bpf.Edge{Attempts: 4, Refused: 1, TimedOut: 1, Unreachable: 1, Aborted: 1, LastNs: uint64(time.Minute)}
			}
			return e
		}, []uint16{6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := newEdges()
			for i := range c.edges {
				table.update(addEdge(table, uint16(i), bpf.DirectionOut), c.set(i), clock())
			}
			got := map[uint16]bool{}
			for _, key := range table.toEvict(bpf.Limits{Edges: limit}, clock().MonoNs) {
				got[key.Port] = true
			}
			if len(got) != len(c.want) {
				t.Errorf("evicts %v, want %v", got, c.want)
			}
			for _, port := range c.want {
				if !got[port] {
					t.Errorf("evicts %v, want %v", got, c.want)
				}
			}
		})
	}
}

// UDP has a share of its own: what fills it is emptied, and TCP stays.
func TestEvictionOfUDPsShare(t *testing.T) {
	const limit = 40 // of which UDP can have 20
	for _, c := range []struct {
		name                   string
		tcp, udp               int // edges, idle for long; TCP's for longer
		tcpEvicted, udpEvicted int
	}{
		{"room for both", 10, 17, 0, 0},
		{"UDP's share is full", 10, 20, 0, 5},
		{"all is full, UDP's share is not", 30, 10, 10, 0},
		{"both", 20, 20, 5, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := newEdges()
			for i := range c.tcp + c.udp {
				key := edgeKey(uint16(i), bpf.DirectionOut)
				if i >= c.tcp {
					key.Proto = bpf.ProtoUDP
				}
				table.update(addKey(table, key), idleSince(i/2), clock())
			}
			got := map[uint8]int{}
			for _, key := range table.toEvict(bpf.Limits{Edges: limit}, clock().MonoNs) {
				got[key.Proto]++
				table.drop(key)
			}
			if got[bpf.ProtoTCP] != c.tcpEvicted || got[bpf.ProtoUDP] != c.udpEvicted {
				t.Errorf("evicts %v, want %d of TCP and %d of UDP", got, c.tcpEvicted, c.udpEvicted)
			}
			if table.udp != c.udp-c.udpEvicted {
				t.Errorf("%d of UDP are left", table.udp)
			}
		})
	}
}

// Two kernel edges that people cannot tell apart are one dependency, whose
// counters do not fall when one of them is evicted, and start anew when it comes
// again.
func TestDependencyOutlivesItsEdges(t *testing.T) {
	table := newEdges()
	one := addEdge(table, 80, bpf.DirectionOut)
	key2 := edgeKey(80, bpf.DirectionOut)
	key2.Cgroup = 7
	two := addKey(table, key2)
	if one.of != two.of {
		t.Fatal("two dependencies")
	}
	expect := func(connections, open uint64, progress, moved bool) {
		t.Helper()
		body, isProgress, ok := one.of.body()
		if ok != moved || isProgress != progress {
			t.Errorf("moved %v, progress %v; want %v, %v", ok, isProgress, moved, progress)
		}
		if ok && (body.Connections != connections || body.Open != open) {
			t.Errorf("%d connections, %d open; want %d, %d", body.Connections, body.Open, connections, open)
		}
	}
	table.update(one, &bpf.Edge{Attempts: 3, Connections: 3, Closed: 1}, clock())
	table.update(two, &bpf.Edge{Attempts: 2, Connections: 2, Closed: 2}, clock())
	expect(5, 2, false, true)
	expect(0, 0, false, false)
	table.drop(key2)
	expect(0, 0, false, false)
	two = addKey(table, key2)
	table.update(two, &bpf.Edge{Attempts: 1, Connections: 1}, clock())
	expect(6, 3, true, true)
	table.update(two, &bpf.Edge{Attempts: 2, Connections: 1, Refused: 1}, clock())
	expect(6, 3, false, true) // the first failure is more than progress
	if out := table.totals.out; out.Attempts != 7 || out.Connections != 6 || out.Closed != 3 || out.Refused != 1 {
		t.Errorf("totals %+v", out)
	}
	if open := table.totals.open(); open != 3 {
		t.Errorf("%d open in all, want 3", open)
	}
	table.drop(edgeKey(80, bpf.DirectionOut))
	table.drop(key2)
	if table.byKey.len() != 0 || table.byKernel.len() != 0 {
		t.Error("the dependency stays without an edge")
	}
}

func TestLastSeenNamesTheProcess(t *testing.T) {
	table := newEdges()
	e := addEdge(table, 1, bpf.DirectionOut)
	see := func(minute int, pid uint32) {
		table.update(e, &bpf.Edge{FirstNs: uint64(time.Minute), LastNs: uint64(minute) * uint64(time.Minute), Owner: bpf.Sample{Tgid: pid}}, clock())
	}
	see(30, 100)
	see(20, 200) // another CPU's, written later
	if want := noon.Add(-30 * time.Minute); e.of.pid != 100 || !moment(e.of.last).Equal(want) {
		t.Errorf("process %d at %v, want 100 at %v", e.of.pid, moment(e.of.last), want)
	}
	if want := noon.Add(-59 * time.Minute); !moment(e.of.first).Equal(want) {
		t.Errorf("first seen %v, want %v", moment(e.of.first), want)
	}
}

func service(pid int, since time.Time) model.Listener {
	return model.Listener{Port: 80, Process: model.Process{PID: pid, Exe: "/usr/sbin/nginx"}, Since: since}
}

func TestSocketsOfOneAddressAreOneListener(t *testing.T) {
	table := newListeners()
	if l, changed := table.started(1, 20, service(10, noon)); !changed || l.Sockets != 1 || l.State != model.StateListening {
		t.Errorf("first: %+v, %v", l, changed)
	}
	if _, changed := table.started(1, 20, service(10, noon)); changed {
		t.Error("the same socket twice is a change")
	}
	if l, _ := table.started(2, 30, service(11, noon.Add(-time.Second))); l.Sockets != 2 || l.PID != 11 || !l.Since.Equal(noon) {
		t.Errorf("a later process took over: %+v", l)
	}
	if l, _ := table.started(3, 10, service(9, noon.Add(time.Second))); l.PID != 11 {
		t.Errorf("an earlier process took over: %+v", l)
	}
	if gone := table.missing(map[uint64]struct{}{1: {}, 3: {}}); len(gone) != 1 || gone[0] != 2 {
		t.Errorf("missing %v, want 2", gone)
	}
	for _, cookie := range []uint64{1, 2} {
		if l, changed := table.ended(cookie, noon); !changed || l.State != model.StateListening {
			t.Errorf("ended with sockets left: %+v", l)
		}
	}
	l, changed := table.ended(3, noon.Add(time.Minute))
	if !changed || l.State != model.StateEnded || l.Sockets != 0 || l.Ended == nil || !l.Ended.Equal(noon.Add(time.Minute)) {
		t.Errorf("the last socket: %+v, %v", l, changed)
	}
	if _, changed := table.ended(3, noon); changed {
		t.Error("ended twice")
	}
	if len(table.byKey) != 0 || len(table.byCookie) != 0 {
		t.Error("entries stay")
	}
}

// An agent that starts anew takes the start of a service from the manager if it is
// the same one.
func TestAdoptTakesTheEarlierStart(t *testing.T) {
	earlier := service(10, noon.Add(-time.Hour))
	earlier.State = model.StateListening
	for _, c := range []struct {
		name   string
		now    model.Listener
		change func(*model.Listener)
		want   time.Time
	}{
		{"the same", service(10, noon), func(*model.Listener) {}, noon.Add(-time.Hour)},
		{"another process", service(11, noon), func(*model.Listener) {}, noon},
		{"another program", service(10, noon), func(l *model.Listener) { l.Exe = "/usr/sbin/httpd" }, noon},
		{"one that had ended", service(10, noon), func(l *model.Listener) { l.State = model.StateEnded }, noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			table, remembered := newListeners(), earlier
			c.now.SinceApprox = true
			table.started(1, 0, c.now)
			c.change(&remembered)
			l, there := table.adopt(remembered)
			if !there || !l.Since.Equal(c.want) {
				t.Errorf("since %v, want %v", l.Since, c.want)
			}
		})
	}
	if _, there := newListeners().adopt(earlier); there {
		t.Error("adopted what is not there")
	}
}

// A socket that only asks for its source address is no client; one that stays is.
func TestConnectedSocketsWaitForASign(t *testing.T) {
	table := newEdges()
	key := bpf.EdgeKey{Port: 53, Proto: bpf.ProtoUDP, Direction: bpf.DirectionOut}
	e := table.add(key, model.Dependency{Proto: "udp", Port: 53, Direction: model.Out})
	read := bpf.Edge{Key: key, Waiting: 1, LastNs: clock().MonoNs - uint64(inUse) + 1}
	for _, c := range []struct {
		name                      string
		change                    func()
		shown                     bool
		connections, open, failed uint64
	}{
		{name: "just connected", change: func() {}},
		{name: "still there", change: func() { read.LastNs-- }, shown: true, connections: 1, open: 1},
		{name: "another one", change: func() { read.LastNs, read.Waiting = clock().MonoNs, 2 }, connections: 1, open: 1},
		{name: "both ended, one was used", change: func() { read.Waiting, read.Connections, read.Attempts, read.Closed = 0, 1, 1, 1 }, shown: true, connections: 1},
		{name: "a third was refused", change: func() { read.Attempts, read.Refused = 2, 1 }, shown: true, connections: 1, failed: 1},
	} {
		c.change()
		table.update(e, &read, clock())
		body, _, ok := e.of.body()
		if !ok && c.connections > 0 {
			body.Counters = e.of.counters() // nothing moved
		}
		if ok != c.shown || body.Connections != c.connections || body.Open != c.open || body.Failed != c.failed {
			t.Errorf("%s: shown %v, %+v", c.name, ok, body.Counters)
		}
	}
}

// What is kept of an edge in little room is what was counted, whatever it was.
func TestReading(t *testing.T) {
	whole := counted{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	list := []counted{{}, whole}
	for i := range reflect.TypeFor[counted]().NumField() { // each alone
		var c counted
		if field := reflect.ValueOf(&c).Elem().Field(i); field.CanSet() {
			field.SetUint(uint64(i) + 100)
		}
		list = append(list, c)
	}
	var r reading
	for _, c := range list {
		r.take(&c)
		if got := r.counted(); got != c {
			t.Errorf("%+v, want %+v", got, c)
		}
	}
	if r.take(&counted{Attempts: 1}); r.rare != nil {
		t.Error("what is not rare takes room")
	}
}
