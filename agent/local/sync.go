package local

import (
	"bytes"
	"context"

	"cassini/bpf"
	"cassini/model"
)

// Refresh reads who listens, every edge's counters and which connections are open, and
// emits what moved.
func (c *Local) Refresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.awaitEvents(ctx); err != nil || c.closed {
		return err
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if err := c.walkIfDue(ctx, clock); err != nil {
		return err
	}
	return c.readAll(ctx, clock)
}

// readAll reads the edges and which of their connections are open.
func (c *Local) readAll(ctx context.Context, clock bpf.Clock) error {
	err := c.cfg.Kernel.Edges(func(key *bpf.UnixKey, read *bpf.UnixEdge) { c.edgeOf(*key, read, bpf.Image{}) })
	if err != nil {
		return err
	}
	if err := c.readClients(ctx); err != nil {
		return err
	}
	if err := c.settle(ctx, clock); err != nil {
		return err
	}
	for _, e := range c.edges.byKernel {
		if e.of == nil {
			if unsure, reasonless := e.unsettled(); unsure+reasonless > 0 {
				continue // it waits for a walk
			}
			c.resolve(e.target)
			c.describe(e, clock)
		}
		e.of.seen(e, clock)
	}
	for _, dep := range c.edges.byKey {
		c.emitDependency(dep, clock)
	}
	return c.makeRoom(ctx, clock)
}

// readClients counts open connections and takes when datagrams were sent.
func (c *Local) readClients(ctx context.Context) error {
	open := make(map[bpf.UnixKey]uint64)
	sent := make(map[bpf.UnixKey]uint64)
	err := c.cfg.Kernel.Clients(ctx, func(s *bpf.UnixClient) {
		open[s.Key] += s.Open
		sent[s.Key] = max(sent[s.Key], s.LastNs)
	})
	if err != nil {
		return err
	}
	for key, e := range c.edges.byKernel {
		e.open, e.sentNs = open[key], max(e.sentNs, sent[key])
	}
	return nil
}

// makeGood reads the map whole if events were dropped since it last did so.
func (c *Local) makeGood(ctx context.Context, clock bpf.Clock) error {
	counters, err := c.cfg.Kernel.Counters()
	if err != nil || counters.RingFull == c.ringFull {
		return err
	}
	c.ringFull = counters.RingFull
	c.resyncs++
	return c.readAll(ctx, clock)
}

// makeRoom evicts idle edges from the kernel's map when it is nearly full.
func (c *Local) makeRoom(ctx context.Context, clock bpf.Clock) error {
	limit := c.cfg.Kernel.Limits().Edges
	if len(c.edges.toEvict(limit, clock.MonoNs)) == 0 {
		return nil
	}
	if err := c.readClients(ctx); err != nil {
		return err
	}
	return c.cfg.Kernel.Evict(c.edges.toEvict(limit, clock.MonoNs), func(key bpf.UnixKey, last *bpf.UnixEdge) {
		e := c.edges.byKernel[key]
		e.read = *last
		e.target.settle()
		c.describe(e, clock)
		c.emitDependency(e.of, clock)
		c.edges.drop(e)
		if len(e.target.edges) == 0 {
			delete(c.targets, e.target.name)
			_ = c.cfg.Kernel.Serve(e.target.name, nil) // it holds a place that another may need
		}
	})
}

// Publish emits what differs from what the manager remembers: on the first call
// everything it does not have as it stands, and on each call what it believes to be there
// although it has gone.
func (c *Local) Publish(remembered []model.Document) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	first := !c.published
	c.published = true
	known := make(map[model.Name]model.Document)
	for _, doc := range remembered {
		if c.remember(doc, first, clock) {
			known[doc.Name] = doc
		}
	}
	if !first {
		return nil
	}
	for _, e := range c.sockets.byKey {
		name := model.Name{Host: c.cfg.Host, Package: model.PackageListeners, Key: e.Key()}
		doc, err := model.NewDocument(name, clock.Wall, e.Listener)
		if err == nil && bytes.Equal(doc.Body, known[name].Body) {
			continue
		}
		c.emit(name.Package, name.Key, e.Listener, false, clock)
	}
	for _, dep := range c.edges.byKey {
		dep.sends = 0
		c.emitDependency(dep, clock)
	}
	return nil
}

// remember compares one document of the manager with the tables. It reports whether it is
// about a Unix-domain socket.
func (c *Local) remember(doc model.Document, first bool, clock bpf.Clock) bool {
	switch doc.Package {
	case model.PackageListeners:
		var l model.Listener
		if doc.Decode(&l) != nil || l.Proto != model.ProtoUnix {
			return false
		}
		if l.State == model.StateListening {
			c.rememberListener(l, first, clock)
		}
		return true
	case model.PackageDependencies:
		var d model.Dependency
		if doc.Decode(&d) != nil || d.Proto != model.ProtoUnix {
			return false
		}
		if d.Open > 0 && c.edges.byKey[d.Key()] == nil {
			d.Open = 0
			c.emit(model.PackageDependencies, d.Key(), d, false, clock)
		}
		return true
	}
	return false
}

func (c *Local) rememberListener(earlier model.Listener, first bool, clock bpf.Clock) {
	e := c.sockets.byKey[earlier.Key()]
	switch {
	case e == nil:
		ended := endListener(earlier, clock.Wall)
		c.emit(model.PackageListeners, ended.Key(), ended, false, clock)
	case e.PID == earlier.PID && e.Exe == earlier.Exe && e.SinceApprox:
		e.Since, e.SinceApprox = earlier.Since, earlier.SinceApprox
	case !first && !e.Since.Equal(earlier.Since):
		c.emit(model.PackageListeners, e.Key(), e.Listener, false, clock)
	}
}
