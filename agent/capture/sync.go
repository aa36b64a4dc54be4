package capture

import (
	"bytes"
	"context"

	"cassini/bpf"
	"cassini/model"
)

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
	return c.readAll(ctx, clock)
}

// readAll reads the edges and what their open connections have moved.
func (c *Capture) readAll(ctx context.Context, clock bpf.Clock) error {
	return c.readCounters(clock, func(places []*edge, moved func(*edge)) error {
		return c.readTraffic(ctx, places, clock, moved)
	})
}

// readEdges brings the table of edges up to the kernel's.
func (c *Capture) readEdges(clock bpf.Clock) error {
	return c.readCounters(clock, func([]*edge, func(*edge)) error { return nil })
}

// readCounters reads the edges, then what more does with them by their places, and
// emits the dependencies that moved.
func (c *Capture) readCounters(clock bpf.Clock, more func(places []*edge, moved func(*edge)) error) error {
	moved := make(map[*dependency]struct{})
	var places []*edge
	err := c.cfg.Kernel.Edges(func(place uint32, read *bpf.Edge) {
		e, known := c.edges.byKernel[read.Key]
		if !known {
			e = c.edges.add(read.Key, c.describeEdge(&read.Key, read.Owner, bpf.Image{}, clock))
		}
		if c.edges.update(e, read, clock) {
			moved[e.of] = struct{}{}
		}
		for len(places) <= int(place) { // not all of them are in use
			places = append(places, nil)
		}
		places[place] = e
	})
	if err == nil {
		err = more(places, func(e *edge) { moved[e.of] = struct{}{} })
	}
	for dep := range moved {
		c.emitDependency(dep, clock)
	}
	return err
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
		if doc.Decode(&l) == nil && l.State == model.StateListening {
			c.rememberListener(l, clock, first)
		}
	case model.PackageDependencies:
		var d model.Dependency
		if doc.Decode(&d) != nil || d.Open == 0 || c.edges.byKey[d.Key()] != nil {
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
	for _, dep := range c.edges.byKey {
		dep.sends = 0
		c.emitDependency(dep, clock)
	}
}
