package capture

import (
	"context"
	"time"

	"cassini/agent/host"
	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/bpf"
	"cassini/model"
)

// A listener can be handed over: by fork and exec, in a message over a Unix socket, by
// systemd, which opens it for a service that it starts at the first connection. No event
// tells. So the first connection of each edge to a listener makes us look, a moment later,
// whether its process is still there and runs what it ran; only where it does not, or is
// init, all open files are searched for who holds the socket (decision 0041).
const (
	lookAfter = time.Second      // after a connection, in which a service may be started
	lookFor   = 10 * time.Second // at most
	// After each search in vain for somebody but init the next waits twice as long.
	lookAgain    = time.Minute
	maxLookAgain = time.Hour
)

// handovers are the listeners to look at. They are guarded by the Capture's lock.
type handovers struct {
	due  map[*listening]struct{}
	late pace.Late // runs lookNow
}

// connected makes the listener of an accepted connection due.
func (c *Capture) connected(d *dependency) {
	if d.direction != bpf.DirectionIn {
		return
	}
	what := d.describe()
	for _, l := range c.listeners.at(&what) {
		c.look(l)
	}
}

// look makes a listener due, unless it is known to be its process's or was searched for
// in vain not long ago.
func (c *Capture) look(l *listening) {
	if l.proven || c.closed || time.Now().Before(l.lookNext) {
		return
	}
	if c.handovers.due == nil {
		c.handovers.due = make(map[*listening]struct{})
	}
	c.handovers.due[l] = struct{}{}
	c.handovers.late.Begin(lookAfter, c.lookNow)
}

// lookAtOrphans makes due what is a process's that has gone: others must hold it.
func (c *Capture) lookAtOrphans() {
	for _, l := range c.listeners.byKey {
		if l.PID > 0 && host.Gone(l.PID) {
			l.proven = false
			c.look(l)
		}
	}
}

// lookNow finds the processes of the listeners that are due.
func (c *Capture) lookNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.handovers.due
	c.handovers.due = nil
	if c.closed {
		return
	}
	c.findOwners(due)
}

// findOwners finds the processes of listeners, as far as the kernel tells.
func (c *Capture) findOwners(due map[*listening]struct{}) {
	if err := c.findHolders(due); err != nil {
		c.cfg.Logger.Warn("whose listeners are that were handed over is not known", "error", err)
	}
}

// findHolders asks the kernel where a listener may have been handed over.
func (c *Capture) findHolders(due map[*listening]struct{}) error {
	var cookies []uint64
	doubtful, named := make(map[*listening]bpf.Owner), make(map[*listening]struct{})
	err := c.cfg.Kernel.Listeners(func(cookie uint64, l *bpf.Listener) {
		entry := c.listeners.byCookie[cookie]
		if _, asked := due[entry]; !asked {
			return
		}
		if entry.PID == int(l.Owner.Tgid) {
			named[entry] = struct{}{}
		}
		if l.Owner.Kind != bpf.OwnerProcess || l.Owner.Tgid != 1 && host.Lives(l.Owner, entry.Exe) {
			return
		}
		cookies = append(cookies, cookie)
		doubtful[entry] = l.Owner
	})
	if err != nil {
		return err
	}
	for entry := range due {
		_, doubted := doubtful[entry]
		if _, is := named[entry]; !is && !doubted && entry.Sockets > 0 {
			doubtful[entry] = bpf.Owner{} // its own socket has ended, and others have theirs
		} else if !doubted {
			entry.proven = true
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	if err := c.searchHolders(cookies); err != nil {
		return err
	}
	return c.handOver(doubtful)
}

// searchHolders has the kernel side find who holds these sockets, if there are any.
func (c *Capture) searchHolders(cookies []uint64) error {
	if len(cookies) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookFor)
	defer cancel()
	return c.cfg.Kernel.Holders(ctx, cookies, func(fn func() error) error { return netns.Each(ctx, fn) })
}

// handOver takes the owners that were found.
func (c *Capture) handOver(doubtful map[*listening]bpf.Owner) error {
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	owners := make(map[*listening]bpf.Owner) // of several sockets the oldest process
	err = c.cfg.Kernel.Listeners(func(cookie uint64, l *bpf.Listener) {
		entry := c.listeners.byCookie[cookie]
		if _, is := doubtful[entry]; !is {
			return
		}
		if known, ok := owners[entry]; !ok || known.Tgid == 1 || l.Owner.Tgid != 1 && l.Owner.StartNs < known.StartNs {
			owners[entry] = l.Owner
		}
	})
	if err != nil {
		return err
	}
	for entry, owner := range owners {
		if owner == doubtful[entry] {
			entry.lookNext = time.Now().Add(min(lookAgain<<min(entry.looks, 10), maxLookAgain))
			entry.looks++
			continue
		}
		entry.Process = c.processes.Resolve(owner, bpf.Image{})
		entry.looks, entry.proven = 0, owner.Tgid != 1
		c.events["handover"]++
		c.emit(model.PackageListeners, entry.Key(), entry.Listener, false, clock)
	}
	return nil
}
