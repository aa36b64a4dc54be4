package capture

import (
	"context"
	"errors"
	"fmt"

	"cassini/agent/netns"
	"cassini/bpf"
)

// Bootstrap finds what existed before the kernel programs were attached. Call
// it before Publish and Run.
func (c *Capture) Bootstrap(ctx context.Context) error {
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	c.lives.began = clock.BootNs
	eachNetns := func(fn func() error) error { return netns.Each(ctx, fn) }
	if err := c.cfg.Kernel.Bootstrap(ctx, eachNetns); err != nil {
		return fmt.Errorf("find existing sockets: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.catchUp(); err != nil {
		return fmt.Errorf("capture sockets: %w", err)
	}
	return c.resync()
}

// catchUp handles the events that wait already, before Run reads any: they know more of an edge
// than its place in the map does, whose process may have ended by now.
func (c *Capture) catchUp() error {
	var event bpf.Event
	for range c.cfg.Kernel.Pending() { // others come meanwhile
		err := c.cfg.Kernel.Read(&event)
		c.read.Add(1)
		c.eventHandled() // somebody may have asked already
		if errors.Is(err, bpf.ErrBadEvent) {
			c.bad++
			continue
		}
		if err == nil {
			err = c.dispatch(&event)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
