package capture

import (
	"time"

	"cassini/agent/pace"
	"cassini/bpf"
)

// A resolver binds a socket to a port of its choice for each question that it asks, and closes it with
// the answer: that is no service. So one of UDP is told once it is there for a while, and one that
// sends before anybody has asked it later, since an answer may take its time (decision 0062).
const (
	freshFor  = time.Second
	askingFor = time.Minute
	// imagesHeld bounds what is remembered of processes meanwhile; of others /proc tells.
	imagesHeld = 1024
)

// fresh is what the kernel told of processes whose sockets are not told yet, by socket. It is
// guarded by the Capture's lock.
type fresh struct {
	images map[uint64]bpf.Image
	late   pace.Late // runs tellFresh
}

// tooFresh says that a socket is not yet to be told.
func tooFresh(l *bpf.Listener, clock bpf.Clock) bool {
	wait := freshFor
	if l.Asks != 0 {
		wait = askingFor
	}
	return l.Proto == bpf.ProtoUDP && l.StartedNs != 0 && l.StartedNs+uint64(wait) > clock.MonoNs
}

// hold has a socket told later, if it is there then.
func (c *Capture) hold(cookie uint64, image bpf.Image) {
	if c.closed {
		return
	}
	if c.fresh.images == nil {
		c.fresh.images = make(map[uint64]bpf.Image)
	}
	if len(c.fresh.images) < imagesHeld && image.Exe != "" {
		c.fresh.images[cookie] = image
	}
	c.fresh.late.Begin(freshFor, c.tellFresh)
}

// tellFresh tells of the sockets that are still there, and holds those that are too fresh.
func (c *Capture) tellFresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clock, err := bpf.ReadClock()
	if c.closed || err != nil {
		return
	}
	images := c.fresh.images
	c.fresh.images = nil
	err = c.cfg.Kernel.Listeners(func(cookie uint64, l *bpf.Listener) {
		if l.Proto == bpf.ProtoUDP { // of others events tell at once, and more
			c.listenerStarted(cookie, l, images[cookie], clock)
		}
	})
	if err != nil {
		c.cfg.Logger.Warn("what serves UDP since a moment is not known", "error", err)
		c.fresh.late.Begin(freshFor, c.tellFresh)
	}
}

// tellSuccessors tells of the fresh sockets where the last one ends that was told: the service goes on, as that of a
// server does which is loaded anew (SO_REUSEPORT).
func (c *Capture) tellSuccessors(of *listening, clock bpf.Clock) {
	if of.Proto != protoName(bpf.ProtoUDP) || of.Sockets > 1 || c.fresh.images == nil {
		return
	}
	err := c.cfg.Kernel.Listeners(func(cookie uint64, l *bpf.Listener) {
		at := l.Proto == bpf.ProtoUDP && l.Port == of.Port && l.Netns == of.Netns && bpf.Addr(l.Addr) == of.Addr
		if at && !c.listeners.known(cookie) {
			c.tellListener(cookie, l, c.fresh.images[cookie], clock)
		}
	})
	if err != nil {
		c.cfg.Logger.Warn("who goes on with a service of UDP is not known", "error", err)
	}
}
