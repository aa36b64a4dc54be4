package capture

import (
	"cmp"
	"slices"

	"cassini/bpf"
	"cassini/model"
)

// joined hears of an edge that was not known, and says which program begins a life by it,
// or nil.
func (c *Capture) joined(e *edge, process model.Process, owner bpf.Owner, clock bpf.Clock) *program {
	if owner.Kind != bpf.OwnerProcess || e.cgroup == 0 {
		return nil
	}
	p := c.lives.joined(e, process, owner.StartNs, clock)
	if p != nil && p.Count() == 2 {
		c.emitProgram(p, clock)
	}
	return p
}

// livesBegin looks for lives of a program that has begun another and has perhaps ended
// one: so its places in the kernel are freed as fast as new ones are taken, though nobody
// asks.
func (c *Capture) livesBegin(p *program, clock bpf.Clock) error {
	if p == nil {
		return nil
	}
	p.look(looksPerBirth, c.gone)
	return c.bury(p, 2*looksPerBirth, clock) // more than end in between, so that none waits for long
}

// livesEnd looks which lives have ended, and lets their edges go.
func (c *Capture) livesEnd(clock bpf.Clock) error {
	looks := looksPerQuestion
	for _, p := range c.lives.byFunction { // in no order: all have their turn
		looks -= p.look(looks, c.gone)
		if err := c.bury(p, len(p.ended), clock); err != nil {
			return err
		}
	}
	return nil
}

// bury lets the kernel's edges go of some of the lives that ended. A life whose last
// connection is not closed yet has its turn again: the peer may take its time.
func (c *Capture) bury(p *program, some int, clock bpf.Clock) error {
	some = min(some, len(p.ended))
	turn, rest := p.ended[:some], p.ended[some:]
	p.ended = append(make([]*life, 0, len(p.ended)), rest...)
	for i, one := range turn {
		if err := c.release(one, clock); err != nil {
			p.ended = append(p.ended, turn[i:]...)
			return err
		}
		if len(one.edges) > 0 {
			p.ended = append(p.ended, one)
			continue
		}
		delete(p.byCgroup, one.cgroup)
	}
	for _, dep := range c.edges.overslept() {
		c.emitDependency(dep, clock)
		c.lives.forgotten++
	}
	return nil
}

// release takes the edges of a life out of the kernel's map on which nothing can be
// counted any more.
func (c *Capture) release(one *life, clock bpf.Clock) error {
	var over []bpf.EdgeKey
	for e := range one.edges {
		read, ok, err := c.cfg.Kernel.Edge(e.key())
		if err != nil {
			return err
		}
		if now := countedOf(&read); ok && quiet(&now) {
			over = append(over, e.key())
		}
	}
	if len(over) == 0 {
		return nil
	}
	return c.cfg.Kernel.Evict(over, func(key bpf.EdgeKey, last *bpf.Edge, health *bpf.Health) {
		e := c.edges.byKernel.get(key)
		c.edges.update(e, last, clock)
		c.edges.takeHealth(e, health)
		c.edges.rest(key)
		delete(one.edges, e)
		c.lives.released++
	})
}

// emitLives tells of programs whose lives are others than they were last told to be.
func (c *Capture) emitLives(clock bpf.Clock) {
	for _, p := range c.lives.byFunction {
		if p.herd() && p.sent != p.Lives {
			c.emitProgram(p, clock)
		}
	}
}

func (c *Capture) emitProgram(p *program, clock bpf.Clock) {
	c.emit(model.PackagePrograms, p.Key(), p.Program, p.sent != model.Lives{}, clock)
	p.sent = p.Lives
}

// restingLimit bounds the dependencies that are remembered although no kernel edge of
// theirs is left, so that the next life counts on.
const restingLimit = 4096

// rest removes an edge of a life that ended, whose last counters were read, and keeps the
// dependency for the next life.
func (t *edges) rest(key bpf.EdgeKey) {
	dep := t.part(key)
	t.unsent[dep] = struct{}{}
	if dep.parts == nil {
		t.resting[dep] = struct{}{}
	}
}

// overslept are the tenth of dependencies that rest longest, where there are more than
// restingLimit. They are to be told once more, and are forgotten.
func (t *edges) overslept() []*dependency {
	if len(t.resting) <= restingLimit {
		return nil
	}
	list := make([]*dependency, 0, len(t.resting))
	for dep := range t.resting {
		list = append(list, dep)
	}
	slices.SortFunc(list, func(a, b *dependency) int { return cmp.Compare(a.last, b.last) })
	list = list[:len(list)-restingLimit*9/10]
	for _, dep := range list {
		delete(t.resting, dep)
		t.byKey.remove(dep)
	}
	return list
}
