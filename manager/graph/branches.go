package graph

import (
	"math/bits"
	"net/netip"
	"slices"

	"cassini/model"
)

// branches are those of one Out document, one for each goal.
type branches struct {
	whole *dependency
	goals []*goal
	list  []*dependency
}

// branch makes a dependency a part of another one.
type branch struct {
	*branches
	goal *goal
}

// branch works out anew where the connections of an Out document end.
func (g *Graph) branch(d *dependency) {
	g.unbranch(d)
	if len(g.translations.byName) == 0 {
		return
	}
	goals := g.goals(d.host, way{d.link.client.Addr, d.link.server(), d.link.target.proto}, nil)
	if len(goals) == 0 {
		return
	}
	g.touch(d.link)
	b := &branches{whole: d, goals: goals}
	g.translations.branches[d] = b
	for _, to := range goals {
		body := model.Dependency{
			Direction: model.Out, Proto: to.proto, Process: d.process(), Client: to.client, Server: to.server.Addr(), Port: to.server.Port(),
		}
		p := g.holdPlace(d.host, d.netns)
		x := &dependency{place: p, program: g.programs.hold(&body.Process), link: g.holdLink(p, &body), brief: briefOf(model.Out), rare: &rare{branch: &branch{b, to}}}
		b.list = append(b.list, x)
		g.touch(x.link)
		x.link.add(x)
		x.setOdd(1)
	}
	g.followBranches(d)
}

// unbranch takes the branches of a document away.
func (g *Graph) unbranch(d *dependency) {
	b := g.translations.branches[d]
	if b == nil {
		return
	}
	delete(g.translations.branches, d)
	g.touch(d.link)
	for _, x := range b.list {
		g.touch(x.link)
		x.setOdd(-1)
		if x.link.remove(x); len(x.link.docs()) == 0 {
			g.dropLink(x.link)
		}
		g.programs.drop(x.program)
		g.dropPlace(x.place)
	}
}

// followBranches lets the branches of a document tell what it does.
func (g *Graph) followBranches(d *dependency) {
	b := g.translations.branches[d]
	if b == nil {
		return
	}
	p := d.process()
	for _, x := range b.list {
		x.program = g.programs.swap(x.program, &p)
		x.isProcess(d.pid())
		x.firstSeen, x.lastSeen = d.firstSeen, d.lastSeen
	}
}

// part is the branch's part of a figure of the whole. The parts add up to it.
func (b *branch) part(n uint64) uint64 {
	var before, all uint64
	for _, g := range b.goals {
		if g == b.goal {
			before = all
		}
		all += g.flows()
	}
	flows := b.goal.flows()
	if all == 0 { // nobody counted them: each the same
		before, flows, all = uint64(slices.Index(b.goals, b.goal)), 1, uint64(len(b.goals))
	}
	return share(n, before+flows, all) - share(n, before, all)
}

// share is n times a by b, to the nearest, where a is at most b.
func share(n, a, b uint64) uint64 {
	if a == b {
		return n
	}
	high, low := bits.Mul64(n, a)
	low, carry := bits.Add64(low, b/2, 0)
	q, _ := bits.Div64(high+carry, low, b)
	return q
}

// of are the branch's part of counters. Times stay as they are: nobody tells them apart.
func (b *branch) counters(c model.Counters) model.Counters {
	rtt := c.RTTMicros
	for _, n := range each(&c) {
		*n = b.part(*n)
	}
	c.RTTMicros = rtt
	for _, h := range histograms(&c) {
		whole := *h
		*h = model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) {
			for bucket, n := range whole.All() {
				if n = b.part(n); n > 0 && !yield(bucket, n) {
					return
				}
			}
		})
	}
	return c
}

// asDialled is the document that a branch is of, or d itself.
func (d *dependency) asDialled() *dependency {
	if d.branch() == nil {
		return d
	}
	return d.branch().whole
}

// dialledOf are the addresses that clients of an edge dial, where others answer.
func dialledOf(outs []*dependency) (list []netip.AddrPort) {
	for _, d := range outs {
		at := d.asDialled().link.server()
		if at != d.link.server() && !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, netip.AddrPort.Compare)
	return list
}

// translatedBy are the hosts that bring connections of an edge to who answers.
func translatedBy(outs []*dependency) (hosts []string) {
	for _, d := range outs {
		if d.branch() == nil {
			continue
		}
		for _, t := range d.branch().goal.last {
			if !slices.Contains(hosts, t.host) {
				hosts = append(hosts, t.host)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

// endpointTexts are addresses as attributes have them.
func endpointTexts(list []netip.AddrPort) (all []string) {
	for _, a := range list {
		all = append(all, a.String())
	}
	return all
}
