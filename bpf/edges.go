package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// tableState reads what the tables themselves do not tell.
func (t *TCP) tableState() (state tcpTableState, err error) {
	if err := t.objs.TableStates.Lookup(uint32(0), &state); err != nil {
		return state, fmt.Errorf("read the state of the tables: %w", err)
	}
	return state, nil
}

// Overflow is how many open connections found their bucket full.
func (t *TCP) Overflow() (uint64, error) {
	state, err := t.tableState()
	return state.Overflow, err
}

// Edges calls fn for every edge, likewise, with its place: below Limits().Edges, and
// another edge's once this one was evicted, with another Life.
func (t *TCP) Edges(fn func(place uint32, edge *Edge)) error {
	state, err := t.tableState()
	if err != nil {
		return err
	}
	return eachPlace(t.objs.Edges, int(min(state.Edges, uint64(t.limits.Edges))), func(place uint32, edge *Edge) {
		if edge.Used != 0 {
			fn(place, edge)
		}
	})
}

// Edge reads one edge; ok is false when it is not there.
func (t *TCP) Edge(key EdgeKey) (edge Edge, ok bool, err error) {
	var place uint32
	err = t.edgeIDs(key).Lookup(&key, &place)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return Edge{}, false, nil
	}
	if err == nil {
		err = t.objs.Edges.Lookup(place, &edge)
	}
	if err != nil {
		return Edge{}, false, fmt.Errorf("read edge: %w", err)
	}
	return edge, true, nil
}

// edgeIDs is the map that has the edge's place.
func (t *TCP) edgeIDs(key EdgeKey) *ebpf.Map {
	if key.Proto == ProtoUDP {
		return t.objs.UdpEdgeIds
	}
	return t.objs.EdgeIds
}

// Evict removes edges and calls fn with the last counters of each. Their places
// are used again after the next call, when no program can still be counting there.
func (t *TCP) Evict(keys []EdgeKey, fn func(key EdgeKey, last *Edge)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.left) > 0 {
		if err := t.objs.SpareEdges.Update(nil, t.left[0], ebpf.UpdateAny); err != nil {
			return fmt.Errorf("give back the place of an edge: %w", err)
		}
		t.left = t.left[1:]
	}
	for _, key := range keys {
		if err := t.evict(key, fn); err != nil {
			return fmt.Errorf("evict edge: %w", err)
		}
	}
	return nil
}

func (t *TCP) evict(key EdgeKey, fn func(key EdgeKey, last *Edge)) error {
	var (
		place uint32
		last  Edge
	)
	ids := t.edgeIDs(key)
	if err := ids.Lookup(&key, &place); err != nil {
		return err
	}
	if err := ids.Delete(&key); err != nil {
		return err
	}
	if err := t.objs.Edges.Lookup(place, &last); err != nil {
		return err
	}
	if err := t.objs.Edges.Update(place, &Edge{Life: last.Life + 1}, ebpf.UpdateAny); err != nil {
		return err
	}
	t.left = append(t.left, place)
	fn(key, &last)
	return nil
}
