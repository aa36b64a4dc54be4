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

// Health reads how the closed connections of the edge at a place fared; zero when none
// has closed.
func (t *TCP) Health(place uint32) (Health, error) {
	var edge Edge
	if err := t.objs.Edges.Lookup(place, &edge); err != nil {
		return Health{}, fmt.Errorf("read the health of an edge: %w", err)
	}
	return t.healthOf(place, &edge)
}

// healthOf is what an edge's cells count, and what they have no room for.
func (t *TCP) healthOf(place uint32, edge *Edge) (health Health, err error) {
	if edge.Wide != 0 {
		err = t.healths(place).Lookup(&place, &health)
	}
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return Health{}, fmt.Errorf("read the health of an edge: %w", err)
	}
	health.addCells(edge)
	return health, nil
}

// addCells adds what count_cell of health.h counted.
func (h *tcpHealth) addCells(edge *Edge) {
	for _, cell := range edge.Cells {
		bucket, n := int(cell>>cellBits)-1, cell&(1<<cellBits-1)
		if bucket < 0 { // free
			continue
		}
		if bucket < len(h.Rtt) {
			h.Rtt[bucket] += n
		} else if bucket -= len(h.Rtt); bucket < len(h.Lifetime) {
			h.Lifetime[bucket] += n
		}
	}
}

// cellBits is CELL_BITS of shared.h.
const cellBits = 26

// healths is the map that has the health of the edge at a place.
func (t *TCP) healths(place uint32) *ebpf.Map {
	if place < t.objs.Healths.MaxEntries() {
		return t.objs.Healths
	}
	return t.objs.MoreHealths
}

// takeHealth is how connections fared on an edge that is evicted; what was counted beside its
// cells is forgotten.
func (t *TCP) takeHealth(place uint32, last *Edge) (Health, error) {
	health, err := t.healthOf(place, last)
	if err != nil || last.Wide == 0 {
		return health, err
	}
	m := t.healths(place)
	if m == t.objs.Healths {
		err = m.Update(&place, &Health{}, ebpf.UpdateAny)
	} else {
		err = m.Delete(&place)
	}
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return Health{}, fmt.Errorf("forget the health of an edge: %w", err)
	}
	return health, nil
}

// Evict removes edges and calls fn with the last counters of each. Their places
// are used again after the next call, when no program can still be counting there.
func (t *TCP) Evict(keys []EdgeKey, fn func(key EdgeKey, last *Edge, health *Health)) error {
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

func (t *TCP) evict(key EdgeKey, fn func(key EdgeKey, last *Edge, health *Health)) error {
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
	health, err := t.takeHealth(place, &last)
	fn(key, &last, &health)
	return err
}
