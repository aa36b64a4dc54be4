package graph

import (
	"maps"
	"slices"
	"sync"
)

// tracks remember of programs whom their fall strikes where that depends on nothing else: their
// services have no other program, and nothing stands in for those that have clients. A program falls with all of its
// services, so that who comes by looks at neither. They follow the view: what changes is forgotten,
// and made again for who asks. They are used for one question at a time.
type tracks struct {
	// at is by index of a node: where list has the track of a program; of one that nobody is a
	// client of how much it weighs; or untold or unsure.
	at   []uint32
	list []int32 // of each track how many it strikes, its weight and these: indices, of what is no program inverted
	gone int     // so much of list is of tracks that were forgotten
	fell members // by index: programs that fell, for the question that uses them
}

// What at says besides where a track is.
const (
	untold  = 0
	unsure  = 255
	noTrack = 256 // tracks begin behind it
	header  = 2
)

// takeTracks are those of the view, which nobody else uses; nil where somebody does.
func (v *view) takeTracks() *tracks {
	v.tracksLock.Lock()
	t, made := v.tracks, v.tracksMade
	v.tracks, v.tracksMade = nil, true
	v.tracksLock.Unlock()
	switch {
	case made && t == nil:
		return nil
	case t == nil:
		t = newTracks(v, tracksApart)
	case t.gone > len(t.list)/2:
		t.tidy()
	}
	if more := len(v.list) - len(t.at); more > 0 {
		t.at = append(t.at, make([]uint32, more)...)
	}
	if more := (len(v.list)+63)/64 - len(t.fell); more > 0 {
		t.fell = append(t.fell, make(members, more)...)
	}
	return t
}

// leaveTracks gives them back.
func (v *view) leaveTracks(t *tracks) {
	if t != nil {
		v.tracksLock.Lock()
		defer v.tracksLock.Unlock()
		v.tracks = t
	}
}

// tracksApart is how many nodes are worth a processor of their own.
const tracksApart = 10_000

// newTracks makes those of all programs, on as many processors as so many nodes are there for each.
func newTracks(v *view, apart int) *tracks {
	t := &tracks{at: make([]uint32, len(v.list)), list: make([]int32, noTrack)}
	var lock sync.Mutex
	parts := make(map[int][]int32) // by their first node
	inParts(len(v.list), apart, func(from, end int) {
		part := &tracks{at: t.at, list: make([]int32, noTrack)}
		for _, n := range v.list[from:end] {
			if n != nil && n.kind == nodeProcess {
				part.make(n)
			}
		}
		lock.Lock()
		defer lock.Unlock()
		parts[from] = part.list
	})
	ends := append(slices.Sorted(maps.Keys(parts)), len(v.list))
	for i, from := range ends[:len(ends)-1] {
		before := uint32(len(t.list))
		for p, at := range t.at[from:ends[i+1]] {
			if at >= noTrack {
				t.at[from+p] = at - noTrack + before
			}
		}
		t.list = append(t.list, parts[from][noTrack:]...)
	}
	return t
}

// tidy lets the room go of what was forgotten.
func (t *tracks) tidy() {
	list := append(make([]int32, 0, len(t.list)-t.gone), t.list[:noTrack]...)
	for p, at := range t.at {
		if at >= noTrack {
			t.at[p] = uint32(len(list))
			list = append(list, t.list[at:int(at)+header+int(t.list[at])]...)
		}
	}
	t.list, t.gone = list, 0
}

// make makes the track of a program, if there can be one.
func (t *tracks) make(p *node) {
	begin, weight := len(t.list), 1
	t.list = append(t.list, 0, 0)
	for _, e := range p.in() {
		if e.kind != edgeRunsAs {
			continue
		}
		if s := e.from; s.soleProgram() != p || !s.g.replicas.alone(s.replica) && s.hasClients() {
			weight = unsure
		} else {
			weight += b2i(!s.ended())
			t.strikes(s)
		}
		if weight >= unsure {
			t.list, t.at[p.index] = t.list[:begin], unsure
			return
		}
	}
	struck := len(t.list) - begin - header
	if struck == 0 {
		t.list, t.at[p.index] = t.list[:begin], uint32(weight)
		return
	}
	t.list[begin], t.list[begin+1] = int32(struck), int32(weight)
	t.at[p.index] = uint32(begin)
}

// strikes adds the clients of a service.
func (t *tracks) strikes(s *node) {
	for _, e := range s.in() {
		switch {
		case e.kind != edgeDependsOn:
		case e.from.kind == nodeProcess:
			t.list = append(t.list, e.from.index)
		default:
			t.list = append(t.list, ^e.from.index)
		}
	}
}

// weight is how many fall with a program, but for its clients; 0 where its track does not tell.
func (t *tracks) weight(v *view, p int32) int {
	if t.at[p] == untold {
		t.make(v.list[p])
	}
	switch at := t.at[p]; {
	case at < unsure:
		return int(at)
	case at == unsure:
		return 0
	default:
		return int(t.list[at+1])
	}
}

// of are those whom the fall of a program strikes that has a weight.
func (t *tracks) of(p int32) []int32 {
	if t.at[p] < noTrack {
		return nil
	}
	return t.listed(t.at[p])
}

// listed are those whom the fall of a program strikes whose track is there.
func (t *tracks) listed(at uint32) []int32 {
	begin := at + header
	return t.list[begin : begin+uint32(t.list[at])]
}

// soleProgram is the only program that a service is run by, or nil.
func (n *node) soleProgram() (p *node) {
	for _, e := range n.out() {
		if e.kind == edgeRunsAs {
			if p != nil {
				return nil
			}
			p = e.to
		}
	}
	return p
}

// forget forgets the track of a program.
func (t *tracks) forget(p *node) {
	if int(p.index) >= len(t.at) {
		return
	}
	if at := t.at[p.index]; at >= noTrack {
		t.gone += header + int(t.list[at])
	}
	t.at[p.index] = untold
}

// untrack forgets the tracks of the programs of a service that changes. Nobody may ask meanwhile.
func (v *view) untrack(s *node) {
	if v.tracks == nil {
		return
	}
	for _, e := range s.out() {
		if e.kind == edgeRunsAs {
			v.tracks.forget(e.to)
		}
	}
}

// untrackEdge does so with those that an edge tells of which comes or goes.
func (v *view) untrackEdge(e *edge) {
	switch {
	case v.tracks == nil:
	case e.kind == edgeDependsOn:
		v.untrack(e.to)
	case e.kind == edgeRunsAs:
		v.tracks.forget(e.to)
		v.untrack(e.from)
	}
}
