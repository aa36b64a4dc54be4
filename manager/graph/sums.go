package graph

import (
	"context"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"sync/atomic"

	"cassini/model"
)

// sumSeed makes sums of several graphs comparable. It never changes.
var sumSeed = maphash.MakeSeed()

// sums are of all that differences are told of by nodes: of their identifiers, of what alike
// compares, and of what their edges lead to; by index of the node, 0 where it is not known.
// They are worked out when somebody asks for differences and forgotten when what they are of
// changes, so that a node that has not changed since the last such question is compared by one
// number, and is not even looked at.
type sums []atomic.Uint64

// sums are those of the view that are known.
func (v *view) sums() sums {
	v.sumsLock.Lock()
	defer v.sumsLock.Unlock()
	if len(v.summed) < len(v.list) {
		more := make(sums, len(v.list)+len(v.list)/8)
		for i := range v.summed {
			more[i].Store(v.summed[i].Load())
		}
		v.summed = more
	}
	return v.summed
}

// latestSums are those of the view as it stands. Of hosts that something is said against there are none:
// what is said changes without their documents.
func (v *view) latestSums() sums {
	s := v.sums()
	for host := range v.g.incidents.Said() {
		if n := v.named(model.HostID(host)); n != nil {
			s[n.index].Store(0)
		}
	}
	return s
}

// SumUp makes a graph ready to be compared with another: it works out the sums of nodes that have none, some at
// a time, so that who changes the graph waits for no more than these, and puts nodes in order. It stops between
// them when the context ends. DiffGraphs does it too.
func (g *Graph) SumUp(ctx context.Context) {
	for from, more := 0, true; more; from += summedAtATime {
		if ctx.Err() != nil {
			return
		}
		g.read(func(v *view) { more = v.sumUp(from, from+summedAtATime) })
	}
	g.read(func(v *view) { v.ordered() })
}

// summedAtATime is how many sums are worked out while others may not change the graph, and summedApart
// how many are worth a processor of their own.
const (
	summedAtATime = 10_000
	summedApart   = 1000
)

// sumUp does so with a part of all nodes, by index, and says whether there are more.
func (v *view) sumUp(from, end int) (more bool) {
	from, end = min(from, len(v.list)), min(end, len(v.list))
	s, some := v.sums(), v.list[from:end]
	known := s[from:end] // without a look at nodes
	inParts(len(some), summedApart, func(from, end int) {
		for i, n := range some[from:end] {
			if n != nil && known[from+i].Load() == 0 {
				s.of(n)
			}
		}
	})
	return end < len(v.list)
}

// unsum forgets the sum of a node that changes, or whose edges do, or that goes, so that another
// which takes its index has none yet. Nobody may compare meanwhile.
func (v *view) unsum(n *node) {
	if int(n.index) < len(v.summed) {
		v.summed[n.index].Store(0)
	}
}

// unsumHost does so with a host, by name.
func (v *view) unsumHost(name string) {
	if len(v.summed) == 0 {
		return // nobody compared yet
	}
	if n := v.named(model.HostID(name)); n != nil {
		v.unsum(n)
	}
}

// unsumHost forgets the sum of a host of which something else is told.
func (g *Graph) unsumHost(name string) {
	if g.built != nil {
		g.built.unsumHost(name)
	}
}

// of is the sum of a node, 0 where it has none.
func (s sums) of(n *node) uint64 {
	if sum := s[n.index].Load(); sum != 0 {
		return sum
	}
	sum := sumOfNode(n)
	s[n.index].Store(sum)
	return sum
}

// untoldSum is the sum of nodes that no differences are told of.
const untoldSum = 1

// sumOfNode works out a sum, 0 where there is none.
func sumOfNode(n *node) uint64 {
	if !compared(n.kind) {
		return untoldSum
	}
	var h summing
	h.text(n.id)
	if !h.fact(n) {
		return 0
	}
	for _, kind := range toldEdges {
		list := n.to(kind)
		h.number(uint64(len(list)))
		for _, e := range list {
			h.text(e.to.id)
		}
	}
	return max(uint64(h), untoldSum+1)
}

// summing is a sum that is worked out.
type summing uint64

// number adds one, by which about half of all bits change whichever of its bits differ: both halves of a
// product of 128 bits.
func (h *summing) number(n uint64) {
	high, low := bits.Mul64(uint64(*h)^n, 0x9e3779b97f4a7c15)
	*h = summing(high ^ low)
}

func (h *summing) text(s string) { h.number(maphash.String(sumSeed, s)) }

func (h *summing) texts(list []string) {
	h.number(uint64(len(list)))
	for _, s := range list {
		h.text(s)
	}
}

// write adds what has no lists.
func write[T comparable](h *summing, what T) { h.number(maphash.Comparable(sumSeed, what)) }

// fact adds what alike compares, and is false where that cannot tell, or takes a look at
// what changes by itself.
func (h *summing) fact(n *node) bool {
	switch n.kind {
	case nodeHost:
		return h.host(n)
	case nodeService:
		return n.service() != nil && h.service(n.service())
	case nodeInterface:
		return n.iface() != nil && h.iface(n.iface())
	case nodeSwitch, nodeSwitchPort:
		return n.says() != nil && h.neighbor(n.says())
	}
	return n.kind == nodeSubnet || toldByOthers(n.kind)
}

func (h *summing) host(n *node) bool {
	f := n.facts()
	if f == nil || n.status() != nil {
		return false
	}
	h.number(uint64(b2i(f.identity != nil) | b2i(f.os != nil)<<1 | b2i(n.onRing())<<2))
	if f.identity != nil {
		write(h, *f.identity)
	}
	if f.os != nil {
		write(h, *f.os)
	}
	h.labels(n.labels())
	return true
}

func (h *summing) labels(l model.HostLabels) {
	h.text(l.Label)
	h.number(uint64(len(l.Labels)))
	for _, key := range slices.Sorted(maps.Keys(l.Labels)) {
		h.text(key)
		h.text(l.Labels[key])
	}
}

func (h *summing) service(s *service) bool {
	for _, text := range [...]string{s.proto, s.netns, s.state} {
		h.text(text)
	}
	for _, number := range [...]uint64{uint64(s.port), uint64(s.since), uint64(s.ended), uint64(len(s.listeners))} {
		h.number(number)
	}
	return !slices.ContainsFunc(s.listeners, func(l listening) bool { return !h.listener(&l) })
}

func (h *summing) listener(l *listening) bool {
	p := &l.program.Process
	if l.more != nil || p.Home != nil && p.Home.ContainerID != "" {
		return false
	}
	write(h, l.addr)
	for _, number := range [...]uint64{uint64(l.charged), uint64(l.pid), uint64(l.since), uint64(l.ended), uint64(b2i(l.listens) | b2i(l.approx)<<1 | b2i(p.Home != nil)<<2)} {
		h.number(number)
	}
	for _, text := range [...]string{p.Exe, p.Comm, p.CalledAs, p.UID, p.GID, p.Cwd, p.Cgroup} {
		h.text(text)
	}
	h.texts(p.Cmdline)
	write(h, p.Partial)
	if p.Home != nil {
		write(h, *p.Home)
	}
	return true
}

func (h *summing) iface(i *iface) bool {
	for _, text := range [...]string{i.Name, i.Kind, i.OperState, i.Netns, i.Address, i.Alias, i.Duplex, i.Driver} {
		h.text(text)
	}
	for _, number := range [...]uint64{uint64(i.MTU), uint64(i.Speed), uint64(i.VLAN), uint64(b2i(i.Up) | b2i(i.Carrier != 0)<<1)} {
		h.number(number)
	}
	h.number(uint64(len(i.DefaultGateways)))
	for _, a := range i.DefaultGateways {
		write(h, a)
	}
	h.number(uint64(len(i.addresses)))
	for _, p := range i.addresses {
		h.text(p.text)
	}
	return true
}

func (h *summing) neighbor(n *neighbor) bool {
	write(h, n.Chassis)
	write(h, n.Port)
	for _, text := range [...]string{n.PortDescr, n.SystemName, n.SystemDescr, n.Platform} {
		h.text(text)
	}
	h.number(uint64(n.PortVLAN))
	h.texts(n.Capabilities)
	h.number(uint64(len(n.Management)))
	for _, m := range n.Management {
		write(h, m)
	}
	return true
}
