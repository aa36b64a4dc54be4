package capture

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/cilium/ebpf"
)

// An edge has cells for seven buckets. What more there are is in an array for the first
// places, and in a hash map for those beyond: nothing is lost on the way.
func TestHealthBeyondCells(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "0.0.0.0:0", false)
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 4, byte(i >> 8), byte(i)}), portOf(l))
	}
	meet := func(i int, meanwhile func()) {
		t.Helper()
		client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", address(i).String()) })
		meanwhile()
		_, _ = client.Close(), server.Close()
	}
	const between, n = 600, 9 // two edges each: the array has 1,024 places
	lookups := []int{0, between}
	meet(0, func() { fillCells(t, portOf(l)) })
	for i := range between - 1 {
		meet(i+1, func() {})
	}
	meet(between, func() { fillCells(t, portOf(l)) })
	for _, i := range lookups {
		for range n - 1 {
			meet(i, func() {})
		}
	}
	for _, i := range lookups {
		for _, direction := range []model.Direction{model.Out, model.In} {
			d := r.dependency(address(i).String()+" "+string(direction), func(d model.Dependency) bool {
				return d.Port == portOf(l) && d.Direction == direction && d.Server == address(i).Addr() && d.Closed == n
			})
			if d.RTTs.Count() != n || d.Lifetimes.Count() != n+7 {
				t.Errorf("%s, %s: %v, %v; want %d and %d", address(i), direction, bucketsOf(d.RTTs), bucketsOf(d.Lifetimes), n, n+7)
			}
		}
	}
	if stats, err := r.Stats(); err != nil || stats.Drops["health_full"] != 0 {
		t.Errorf("%v, %v", stats.Drops, err)
	}
}

// fillCells makes edges of a port on which nothing has closed count one in each of the seven
// longest lifetimes, which leaves no cell to others.
func fillCells(t *testing.T, port uint16) {
	t.Helper()
	edges, filled := kernelMap(t, "edges"), 0
	for place := range edges.MaxEntries() { // others have edges too
		var e bpf.Edge
		if err := edges.Lookup(place, &e); err != nil {
			t.Fatal(err)
		}
		if e.Used == 0 || e.Key.Port != port || e.Closed > 0 || e.Cells != [7]uint32{} {
			continue
		}
		for i := range e.Cells {
			e.Cells[i] = uint32(48-i)<<26 | 1
		}
		if err := edges.Put(place, &e); err != nil {
			t.Fatal(err)
		}
		filled++
	}
	if filled != 2 {
		t.Fatalf("%d edges have an open connection alone, want both ends of one", filled)
	}
}

// A cell that is full is left as it is, and the rest of its bucket is counted elsewhere.
func TestHealthOfFullCells(t *testing.T) {
	r := start(t, bpf.Limits{})
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	meet := func(n int) {
		t.Helper()
		for range n {
			client, server := accepted(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
			_, _ = client.Close(), server.Close()
		}
	}
	meet(20)
	r.fares(portOf(l), model.Out, 20)
	const bits, full = 26, 1 << 25
	added, edges := uint64(0), kernelMap(t, "edges")
	for place := range edges.MaxEntries() {
		var e bpf.Edge
		if err := edges.Lookup(place, &e); err != nil {
			t.Fatal(err)
		}
		if e.Key.Port != portOf(l) || e.Key.Direction != bpf.DirectionOut {
			continue
		}
		for i, cell := range e.Cells {
			if n := cell & (1<<bits - 1); n > 0 {
				e.Cells[i] = cell - n + full - 1
				if cell>>bits > 20 {
					added += uint64(full - 1 - n)
				}
			}
		}
		if err := edges.Put(place, &e); err != nil {
			t.Fatal(err)
		}
	}
	if added == 0 {
		t.Fatal("no cell counts lifetimes")
	}
	meet(40)
	d := r.fares(portOf(l), model.Out, 60)
	if got, want := d.Lifetimes.Count(), 60+added; got != want {
		t.Errorf("%d lifetimes, want %d: %v", got, want, bucketsOf(d.Lifetimes))
	}
}

// kernelMap is a map that this process has open.
func kernelMap(t *testing.T, name string) *ebpf.Map {
	t.Helper()
	infos, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		raw, err := os.ReadFile(info)
		if err != nil || !strings.Contains(string(raw), "map_type:") {
			continue // not one, or closed meanwhile
		}
		var id int
		for line := range strings.Lines(string(raw)) {
			if text, ok := strings.CutPrefix(line, "map_id:"); ok {
				id, _ = strconv.Atoi(strings.TrimSpace(text))
			}
		}
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		if err != nil {
			continue
		}
		if info, err := m.Info(); err == nil && info.Name == name {
			t.Cleanup(func() { _ = m.Close() })
			return m
		}
		_ = m.Close()
	}
	t.Fatal(fmt.Errorf("this process has no kernel map %s", name))
	return nil
}
