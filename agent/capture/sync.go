package capture

import (
	"bytes"
	"context"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// portion is how many dependencies are told of at once: documents are larger by far than
// what they are made of.
const portion = 1000

// Refresh reads every edge's counters once and emits the dependencies that moved.
func (c *Capture) Refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.awaitEvents(ctx); err != nil {
		return err
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	c.lookAtOrphans()
	if err := c.collect(ctx, eventsTake, clock); err != nil {
		return err
	}
	if err := c.readWorkers(clock); err != nil {
		return err
	}
	defer c.emitLives(clock)
	for c.emitMoved(portion, clock) {
		if err := c.pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pause lets others go on until there is room for more documents.
func (c *Capture) pause(ctx context.Context) error {
	if c.cfg.Pace == nil {
		return nil
	}
	c.mu.Unlock()
	err := c.cfg.Pace(ctx)
	c.mu.Lock()
	if err == nil && c.closed {
		err = ErrClosed
	}
	return err
}

// readAll reads everything and tells what moved at once.
func (c *Capture) readAll(ctx context.Context, clock bpf.Clock) error {
	if err := c.collect(ctx, 0, clock); err != nil {
		return err
	}
	c.emitMoved(len(c.edges.unsent), clock)
	c.emitLives(clock)
	return nil
}

// collect reads the edges and what their open connections have moved, and lets go of those
// whose programs live no more. Younger edges than wait may be left to their events.
func (c *Capture) collect(ctx context.Context, wait time.Duration, clock bpf.Clock) error {
	if err := c.livesEnd(clock); err != nil {
		return err
	}
	return c.readCounters(wait, clock, func(places []*edge) error {
		return c.readTraffic(ctx, places, clock, func(e *edge) { c.edges.unsent[e.of] = struct{}{} })
	})
}

// readEdges brings the table of edges up to the kernel's, and tells what moved.
func (c *Capture) readEdges(clock bpf.Clock) error {
	err := c.readCounters(0, clock, func([]*edge) error { return nil })
	c.emitMoved(len(c.edges.unsent), clock)
	return err
}

// readCounters reads the edges, then what more does with them by their places.
func (c *Capture) readCounters(wait time.Duration, clock bpf.Clock, more func(places []*edge) error) error {
	var places []*edge
	err := c.cfg.Kernel.Edges(func(place uint32, read *bpf.Edge) {
		e := c.edges.byKernel.get(read.Key)
		if e == nil {
			if c.onItsWay(read, wait, clock) {
				return
			}
			e, _ = c.addEdge(&read.Key, read.Whose(), bpf.Image{}, clock)
		}
		if c.edges.update(e, read, clock) {
			c.edges.unsent[e.of] = struct{}{}
		}
		for len(places) <= int(place) { // not all of them are in use
			places = append(places, nil)
		}
		places[place] = e
	})
	if err == nil {
		err = c.readHealth(places, func(e *edge) { c.edges.unsent[e.of] = struct{}{} })
	}
	if err == nil {
		err = more(places)
	}
	return err
}

// eventsTake is longer than an event is on its way from the map to its handler. Those that are
// seen to wait are waited for; one that is being made or was just taken is not seen.
const eventsTake = time.Second

// onItsWay says that an edge is better left to its event: it is young, and of its process, which has
// ended, only the event tells the path.
func (c *Capture) onItsWay(read *bpf.Edge, wait time.Duration, clock bpf.Clock) bool {
	if owner := read.Whose(); wait > 0 && read.FirstNs+uint64(wait) > clock.MonoNs && owner.Kind == bpf.OwnerProcess {
		return c.processes.Resolve(owner, bpf.Image{}).Exe[0] == '['
	}
	return false
}

// emitMoved tells of some of the dependencies that moved, and says whether others are left.
func (c *Capture) emitMoved(some int, clock bpf.Clock) (more bool) {
	for dep := range c.edges.unsent {
		if some == 0 {
			return true
		}
		c.emitDependency(dep, clock)
		some--
	}
	c.edges.unsent = make(map[*dependency]struct{}) // one that was large stays so
	return false
}

// makeGood reads the maps whole if events were dropped since it last did so. It
// is called when the ring buffer has been read empty: drops happen only while it
// is full, so none goes unnoticed.
func (c *Capture) makeGood() error {
	counters, err := c.cfg.Kernel.Counters()
	if err != nil {
		return err
	}
	if counters.RingFull == c.ringFull {
		return nil
	}
	c.ringFull = counters.RingFull
	c.resyncs++
	return c.resync()
}

// resync makes both tables equal to the kernel's maps.
func (c *Capture) resync() error {
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	kernel := make(map[uint64]struct{})
	err = c.cfg.Kernel.Listeners(func(cookie uint64, l *bpf.Listener) {
		kernel[cookie] = struct{}{}
		c.listenerStarted(cookie, l, bpf.Image{}, clock)
	})
	if err != nil {
		return err // an incomplete walk must not end what it did not reach
	}
	for _, cookie := range c.listeners.missing(kernel) {
		c.listenerEnded(cookie, clock)
	}
	return c.readEdges(clock)
}

// Publish emits what differs from what the manager remembers: on the first call
// everything it does not have as it stands, and on each call what it believes to
// be there although it has gone.
func (c *Capture) Publish(remembered []model.Document) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	first := !c.published
	c.published = true // from here on, what moves is emitted as it moves
	known := make(map[model.Name]model.Document, len(remembered))
	for _, doc := range remembered {
		known[doc.Name] = doc
		c.remember(doc, clock, first)
	}
	if first {
		c.publishAll(known, clock)
	}
	return nil
}

// remember compares one document of the manager with the tables. A document that
// does not decode is another version's: it is left alone.
func (c *Capture) remember(doc model.Document, clock bpf.Clock, first bool) {
	switch doc.Package {
	case model.PackageListeners:
		var l model.Listener
		if doc.Decode(&l) == nil && l.State == model.StateListening && l.Proto != model.ProtoUnix && !model.IsTap(l.Proto) {
			c.rememberListener(l, clock, first)
		}
	case model.PackageDependencies:
		var d model.Dependency
		if doc.Decode(&d) != nil || d.Proto == model.ProtoUnix || d.Open == 0 || c.edges.byKey.get(d.Key()) != nil {
			return
		}
		d.Open, d.OpenTraffic = 0, model.Traffic{}
		c.emit(model.PackageDependencies, d.Key(), d, false, clock)
	}
}

func (c *Capture) rememberListener(earlier model.Listener, clock bpf.Clock, first bool) {
	now, there := c.listeners.adopt(earlier)
	switch {
	case !there:
		ended := endListener(earlier, clock.Wall)
		c.emit(model.PackageListeners, ended.Key(), ended, false, clock)
	case !first && !now.Since.Equal(earlier.Since):
		c.emit(model.PackageListeners, now.Key(), now, false, clock)
	}
}

func (c *Capture) publishAll(known map[model.Name]model.Document, clock bpf.Clock) {
	for _, entry := range c.listeners.byKey {
		name := model.Name{Host: c.cfg.Host, Package: model.PackageListeners, Key: entry.Key()}
		doc, err := model.NewDocument(name, clock.Wall, entry.Listener)
		if err == nil && bytes.Equal(doc.Body, known[name].Body) {
			continue
		}
		c.emit(name.Package, name.Key, entry.Listener, false, clock)
	}
	for dep := range c.edges.byKey.all() {
		dep.known = false
		c.emitDependency(dep, clock)
	}
	c.emitLives(clock)
}
