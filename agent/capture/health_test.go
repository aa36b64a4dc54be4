package capture

import (
	"encoding/json"
	"math"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// The kernel's buckets, and what documents call them.
func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(int) int
		n    int
		us   uint64
		want string
	}{
		{"rtt", rttEnd, 20, 1, "0-16"}, {"rtt", rttEnd, 20, 15, "0-16"}, {"rtt", rttEnd, 20, 16, "16-32"}, {"rtt", rttEnd, 20, 1 << 21, "2097152-4194304"},
		{"rtt", rttEnd, 20, 1<<22 - 1, "2097152-4194304"}, {"rtt", rttEnd, 20, 1 << 22, "4194304-"}, {"rtt", rttEnd, 20, math.MaxUint32, "4194304-"},
		{"lifetime", lifetimeEnd, 28, 0, "0-1024"}, {"lifetime", lifetimeEnd, 28, 1023, "0-1024"}, {"lifetime", lifetimeEnd, 28, 1024, "1024-2048"},
		{"lifetime", lifetimeEnd, 28, 1<<32 - 1, "2147483648-4294967296"}, {"lifetime", lifetimeEnd, 28, 1 << 32, "4294967296-17179869184"},
		{"lifetime", lifetimeEnd, 28, 1<<34 - 1, "4294967296-17179869184"}, {"lifetime", lifetimeEnd, 28, 1 << 39, "274877906944-1099511627776"},
		{"lifetime", lifetimeEnd, 28, 1 << 40, "1099511627776-"}, {"lifetime", lifetimeEnd, 28, math.MaxUint64, "1099511627776-"},
	} {
		i := slot(c.us, c.end, c.n)
		b := bucket(i, c.end, c.n)
		if b.String() != c.want || place(b, c.end, c.n) != i {
			t.Errorf("%s of %d us: %v, place %d of %d; want %s", c.name, c.us, b, place(b, c.end, c.n), i, c.want)
		}
	}
}

// The kernel's counts run over; what is told does not.
func TestHealthAdvances(t *testing.T) {
	var h health
	read := bpf.Health{}
	for i, step := range []uint32{5, math.MaxUint32 - 3, 0, 7, 1 << 31, 1 << 31} {
		read.Rtt[3] += step
		if moved := h.advance(&read); moved != (step > 0) {
			t.Errorf("step %d: moved %v", i, moved)
		}
	}
	read.Lifetime[27]++
	h.advance(&read)
	if want := uint64(5+math.MaxUint32-3+7) + 1<<32; h.rtts.Count() != want || h.lifetimes.Count() != 1 {
		t.Errorf("%d and %d, want %d and 1", h.rtts.Count(), h.lifetimes.Count(), want)
	}
}

// tells is the last document of an edge's dependency.
func tells(e *edge) model.Counters {
	body, _, ok := e.of.body()
	if !ok {
		return e.of.counters()
	}
	return body.Counters
}

// Closed connections are told once, also of edges that were evicted; open ones beside.
func TestHealthOutlivesItsEdge(t *testing.T) {
	table := newEdges()
	e := addEdge(table, 80, bpf.DirectionOut)
	key := edgeKey(80, bpf.DirectionOut)
	key.Cgroup = 7
	other := addKey(table, key)
	read := func(e *edge, closed uint32) {
		table.update(e, &bpf.Edge{Connections: 9, Closed: uint64(closed)}, clock())
		h := bpf.Health{}
		h.Rtt[1], h.Lifetime[0] = closed, closed
		table.takeHealth(e, &h)
	}
	read(e, 1)
	read(e, 1)
	read(other, 4)
	if table.healths != 2 {
		t.Errorf("%d healths, want 2", table.healths)
	}
	table.drop(key)
	if table.healths != 1 {
		t.Errorf("%d healths, want 1", table.healths)
	}
	read(e, 3)
	fare := new(bpf.Health)
	observe(fare, &bpf.Traffic{RttUs: 20, StartUs: clock().MonoNs/1000 - 5000}, clock().MonoNs)
	observe(fare, &bpf.Traffic{}, clock().MonoNs) // adopted, and never measured
	live := flow{sockets: 2}
	live.health.advance(fare)
	if !e.takeLive(live, 0, clock()) {
		t.Error("open connections moved nothing")
	}
	c := tells(e)
	for name, got := range map[string]model.Histogram{
		`{"16-32":7}`: c.RTTs, `{"0-1024":7}`: c.Lifetimes, `{"16-32":1}`: c.OpenRTTs, `{"4096-8192":1}`: c.OpenAges,
	} {
		if text, err := json.Marshal(got); err != nil || string(text) != name {
			t.Errorf("%s, %v; want %s", text, err, name)
		}
	}
	rtts, lifetimes := table.totals.byEnd()
	if rtts["client"].Count() != 7 || lifetimes["client"].Count() != 7 || rtts["server"].Count() != 0 {
		t.Errorf("in all %v, %v", rtts, lifetimes)
	}
	read(e, 9)
	if c := tells(e); c.OpenRTTs != "" || c.OpenAges != "" || c.RTTs.Count() != 13 {
		t.Errorf("all have closed: %+v", c)
	}
}

// fared is a kernel that tells how connections fared.
type fared struct {
	Kernel
	asked []uint32
}

func (f *fared) Health(place uint32) (h bpf.Health, err error) {
	f.asked = append(f.asked, place)
	h.Rtt[2] = 1
	return h, nil
}

// Only edges on which connections closed are asked for.
func TestReadHealth(t *testing.T) {
	kernel := &fared{}
	c := New(Config{Kernel: kernel})
	idle, busy := addEdge(c.edges, 80, bpf.DirectionIn), addEdge(c.edges, 81, bpf.DirectionIn)
	udp := addKey(c.edges, bpf.EdgeKey{Proto: bpf.ProtoUDP})
	places := []*edge{idle, nil, busy, udp}
	closed := func(n uint64) {
		for _, e := range []*edge{busy, udp} {
			key := bpf.EdgeKey{Proto: bpf.ProtoTCP}
			if e == udp {
				key.Proto = bpf.ProtoUDP
			}
			c.edges.update(e, &bpf.Edge{Key: key, Connections: n, Closed: n}, clock())
		}
	}
	moved := 0
	for _, n := range []uint64{1, 1, 2} {
		closed(n)
		if err := c.readHealth(places, func(e *edge) { moved++ }); err != nil {
			t.Fatal(err)
		}
	}
	if len(kernel.asked) != 2 || kernel.asked[0] != 2 || moved != 1 {
		t.Errorf("asked %v, %d moved", kernel.asked, moved)
	}
}
