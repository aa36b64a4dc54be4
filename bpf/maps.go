package bpf

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// batch is how many entries one system call reads from a map.
const batch = 2048

// eachEntry walks a hash map, many entries a system call.
func eachEntry[K comparable, V any](m *ebpf.Map, fn func(*K, *V)) error {
	size := batch
	keys, values := make([]K, size), make([]V, size)
	var cursor ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		for i := range n {
			fn(&keys[i], &values[i])
		}
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist): // the end
			return nil
		case errors.Is(err, unix.ENOSPC) && size < int(m.MaxEntries()): // a bucket larger than the batch
			size *= 2
			keys, values = make([]K, size), make([]V, size)
		case err != nil:
			return fmt.Errorf("walk map %s: %w", m, err)
		}
	}
}

// eachPlace walks the first n places of an array, many a system call.
func eachPlace[V any](m *ebpf.Map, n int, fn func(place uint32, v *V)) error {
	keys, values := make([]uint32, min(batch, n)), make([]V, min(batch, n))
	var cursor ebpf.MapBatchCursor
	for n > 0 {
		got, err := m.BatchLookup(&cursor, keys[:min(batch, n)], values[:min(batch, n)], nil)
		for i := range got {
			fn(keys[i], &values[i])
		}
		n -= got
		if errors.Is(err, ebpf.ErrKeyNotExist) { // the end
			return nil
		}
		if err != nil {
			return fmt.Errorf("walk map %s: %w", m, err)
		}
	}
	return nil
}

// MapUse is how much memory a map takes.
type MapUse struct {
	Name  string
	Limit int    // entries, or bytes for the ring buffer
	Bytes uint64 // charged by the kernel; 0 when it does not tell
}

// Maps describes the maps of the programs.
func (t *TCP) Maps() []MapUse {
	o, l := &t.objs, t.limits
	var uses []MapUse
	for _, m := range []struct {
		name  string
		limit uint32
		maps  []*ebpf.Map
	}{
		{"edges", l.Edges, []*ebpf.Map{o.Edges, o.EdgeIds, o.SpareEdges}},
		{"udp_edges", l.UDPEdges(), []*ebpf.Map{o.UdpEdgeIds}},
		{"health", l.Edges, []*ebpf.Map{o.Healths, o.MoreHealths}},
		{"listeners", l.Listeners, []*ebpf.Map{o.Listeners, o.Ports}},
		{"connections", l.Connections, []*ebpf.Map{o.Connections, o.Overflow}},
		{"events", l.RingBytes, []*ebpf.Map{o.Events}},
		{"flows", flowsLimit, t.udp.flows()},
		{"associations", associationsLimit, t.sctp.Load().maps()},
	} {
		if len(m.maps) == 0 {
			continue
		}
		use := MapUse{Name: m.name, Limit: int(m.limit)}
		for _, part := range m.maps {
			if info, err := part.Info(); err == nil {
				bytes, _ := info.Memlock()
				use.Bytes += bytes
			}
		}
		uses = append(uses, use)
	}
	return uses
}

// RunTime is how often a program ran and how long that took in all; both are
// counted while kernel.bpf_stats_enabled is set, which itself costs time. Skipped
// is how often the kernel did not run it because the CPU was inside it.
type RunTime struct {
	Runs, Skipped uint64
	Took          time.Duration
}

// RunTimes tells the run time of each program, by name.
func (t *TCP) RunTimes() map[string]RunTime {
	times := make(map[string]RunTime)
	programs := map[string]*ebpf.Program{"tcp_state": t.objs.TcpState, "tcp_state_again": t.objs.TcpStateAgain, "tcp_state_third": t.objs.TcpStateThird}
	maps.Copy(programs, t.udp.programs())
	maps.Copy(programs, t.sctp.Load().programs())
	maps.Copy(programs, t.unsent.programs())
	if t.traffic != nil {
		programs["traffic_of_bucket"], programs["traffic_of_overflow"] = t.traffic.objs.TrafficOfBucket, t.traffic.objs.TrafficOfOverflow
	}
	for name, prog := range programs {
		if prog == nil { // a copy that this kernel does not need
			continue
		}
		if stats, err := prog.Stats(); err == nil {
			times[name] = RunTime{Runs: stats.RunCount, Skipped: stats.RecursionMisses, Took: stats.Runtime}
		}
	}
	return times
}
