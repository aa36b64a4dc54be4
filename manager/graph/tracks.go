package graph

import "slices"

// tracks remember whom the fall of a node strikes where that depends on nothing else, so that
// who comes by again looks at no edges. They are of one topology of a view, and used for one
// question at a time.
type tracks struct {
	topology uint64
	at       []int32 // by index of the node: where list has its strikes, or 0
	list     []int32 // how many there are, and then each of them: twice an index, and 1 where that is down
	class    []class // by index
	used     []int32 // indices of which something is known
}

// class is what counting has to know of a node.
type class uint8

const (
	unseen class = iota
	endedService
	someService
	someHost
	someOther
)

// takeTracks are those of the view as it stands, which nobody else uses; nil where somebody
// does.
func (v *view) takeTracks() *tracks {
	v.tracksLock.Lock()
	defer v.tracksLock.Unlock()
	t := v.tracks
	v.tracks = nil
	switch {
	case t == nil && v.tracksMade:
		return nil
	case t == nil:
		t, v.tracksMade = &tracks{}, true
		t.forget(v.topology)
	case t.topology != v.topology:
		t.forget(v.topology)
	}
	if more := len(v.list) - len(t.at); more > 0 {
		t.at, t.class = append(t.at, make([]int32, more)...), append(t.class, make([]class, more)...)
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

func (t *tracks) forget(topology uint64) {
	for _, i := range t.used {
		t.at[i], t.class[i] = 0, unseen
	}
	t.used, t.list, t.topology = t.used[:0], append(t.list[:0], 0), topology
}

// of are the strikes of a node, if they are known.
func (t *tracks) of(index int32) (strikes []int32, known bool) {
	at := t.at[index]
	return t.list[at+1 : at+1+t.list[at]], at > 0
}

// make spreads the fall of a node and remembers whom that struck, unless it did not come to
// an end.
func (t *tracks) make(f *falling, n *node) {
	at := int32(len(t.list))
	t.list = append(t.list, 0)
	f.making = t
	f.spread(n)
	if f.making = nil; len(f.queue) >= f.bound {
		t.list = t.list[:at]
		return
	}
	t.list[at] = int32(len(t.list)) - at - 1
	t.at[n.index] = at
	t.used = append(t.used, n.index)
}

func (t *tracks) add(n *node, how effect) {
	if how >= affected {
		t.list = append(t.list, n.index*2+int32(how-affected))
	}
}

// classOf is that of a node of a view. Who has no tracks works it out each time.
func (t *tracks) classOf(v *view, index int32) class {
	if t != nil && t.class[index] != unseen {
		return t.class[index]
	}
	c := v.list[index].class()
	if t != nil {
		t.class[index], t.used = c, append(t.used, index)
	}
	return c
}

func (n *node) class() class {
	switch {
	case n.kind == nodeHost:
		return someHost
	case n.kind != nodeService:
		return someOther
	case n.ended():
		return endedService
	}
	return someService
}

// surely says whether whom the fall of a node strikes depends on nothing else: nothing stands
// in for it, and no other wire or uplink.
func (n *node) surely() bool {
	switch n.kind {
	case nodeService:
		return n.g.replicas.alone(n.replica)
	case nodeSwitchPort:
		return n.onlyWire()
	case nodeInterface:
		return n.onlyWire() && n.onlyUplink()
	}
	return true
}

// onlyWire says whether what is wired to a node is wired to nothing else.
func (n *node) onlyWire() bool {
	return !slices.ContainsFunc(n.in(), func(e *edge) bool { return e.kind == edgeWiredTo && len(e.from.to(edgeWiredTo)) > 1 })
}

// onlyUplink says whether an interface is the one of its host of which it is known what it is
// wired to.
func (n *node) onlyUplink() bool {
	return n.plugged() && !slices.ContainsFunc(n.in(), func(e *edge) bool {
		return e.kind == edgeOwns && slices.ContainsFunc(e.from.to(edgeOwns), func(o *edge) bool { return o.to != n && o.to.plugged() })
	})
}
