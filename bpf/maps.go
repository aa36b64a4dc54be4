package bpf

import (
	"errors"
	"fmt"
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

// MapUse is how much memory a map takes.
type MapUse struct {
	Name  string
	Limit int    // entries, or bytes for the ring buffer
	Bytes uint64 // charged by the kernel; 0 when it does not tell
}

// Maps describes the maps of the TCP program.
func (t *TCP) Maps() []MapUse {
	var uses []MapUse
	for _, m := range []struct {
		name string
		m    *ebpf.Map
	}{{"edges", t.objs.Edges}, {"listeners", t.objs.Listeners}, {"events", t.objs.Events}, {"sock_states", t.objs.SockStates}} {
		use := MapUse{Name: m.name, Limit: int(m.m.MaxEntries())}
		if info, err := m.m.Info(); err == nil {
			use.Bytes, _ = info.Memlock()
		}
		uses = append(uses, use)
	}
	return uses
}

// RunTime is how long the TCP programs have run in all. The kernel counts it
// while kernel.bpf_stats_enabled is set, which itself costs time.
func (t *TCP) RunTime() (total time.Duration) {
	for _, prog := range []*ebpf.Program{t.objs.TcpState, t.objs.TcpStateAgain} {
		if stats, err := prog.Stats(); err == nil {
			total += stats.Runtime
		}
	}
	return total
}
