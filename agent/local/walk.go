package local

import (
	"context"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// fewSockets is how many sockets may be asked about one by one at each question.
const fewSockets = 2048

// walkIfDue looks at all open files, unless that was done a moment ago.
func (c *Local) walkIfDue(ctx context.Context, clock bpf.Clock) error {
	if !c.walks.Due(clock.MonoNs) {
		c.walks.Spared++
		c.askAll(clock)
		return nil
	}
	return c.walk(ctx, c.cfg.Kernel.Sockets, clock)
}

// askAll ends the sockets that have ended, without a walk.
func (c *Local) askAll(clock bpf.Clock) {
	if len(c.sockets.byCookie) > fewSockets {
		return
	}
	for _, s := range c.sockets.byCookie {
		c.maybeEnded(s, clock)
	}
}

// walk brings the table of sockets up to what processes hold.
func (c *Local) walk(ctx context.Context, sockets func(context.Context, func(*bpf.UnixSocket)) error, clock bpf.Clock) error {
	held := make(map[uint64]*bpf.UnixSocket)
	err := sockets(ctx, func(s *bpf.UnixSocket) {
		if isAutobound(s) {
			return
		}
		c.places.met(s.Mntns, int(s.Owner.Tgid))
		if known := held[s.Cookie]; known == nil || betterHolder(known, s) {
			copied := *s
			held[s.Cookie] = &copied
		}
	})
	if err != nil {
		return err // an incomplete walk must not end what it did not reach
	}
	for cookie, s := range c.sockets.byCookie {
		if now := held[cookie]; now == nil {
			c.maybeEnded(s, clock)
		} else {
			c.held(s, now, clock)
		}
	}
	for cookie, found := range held {
		if c.sockets.byCookie[cookie] == nil {
			c.started(found, clock)
		}
	}
	ended, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	c.walks.Done(clock, ended)
	return nil
}

// started takes a socket that was not known.
func (c *Local) started(found *bpf.UnixSocket, clock bpf.Clock) {
	l := model.Listener{Proto: model.ProtoUnix, Process: c.cfg.Processes.Resolve(bpf.Owner(found.Owner), bpf.Image{})}
	l.SocketType = typeName(found.Type)
	// It was not there at the last walk, and its process began when it did.
	l.Since, l.SinceApprox = clock.Boot(found.Owner.StartNs), true
	if l.Since.Before(c.walks.Last.Wall) {
		l.Since = c.walks.Last.Wall.UTC()
	}
	if l.Since.IsZero() {
		l.Since = clock.Wall.UTC()
	}
	var file fileID
	if text := bpf.Bound(found); isAbstract(found) {
		l.Path, l.Netns, l.NetnsName = text, found.Netns, c.netns.Name(found.Netns)
	} else {
		at := c.placeOf(found, text)
		l.Path, l.MntnsName, file = at.path, at.space, at.file
		if file.ino != 0 && found.FileIno != 0 && c.sockets.byFile[file] != nil {
			file = fileID{} // another socket stands there: this one was unlinked
		}
	}
	if e := c.sockets.add(*found, file, l); e != nil {
		c.emit(model.PackageListeners, e.Key(), e.Listener, false, clock)
	}
}

// placeOf is where a socket is bound: by the name that it was given, or, where that leads to another
// file or to none, where the kernel has its file. It may have been renamed, as HAProxy does with a
// new socket, or bound from a directory that its process has left.
func (c *Local) placeOf(found *bpf.UnixSocket, text string) place {
	as := spoken{pid: int(found.Owner.Tgid), mntns: found.Mntns, cwd: cwd(int(found.Owner.Tgid)), text: text}
	at := c.places.find(as)
	if found.FileIno == 0 || at.file.ino == found.FileIno {
		return at
	}
	now, err := c.cfg.Kernel.Where(found)
	if err != nil || now == "" {
		return at
	}
	as.text, as.whole = now, true
	for _, as.mntns = range []uint32{found.Mntns, c.places.host} { // nobody may be there who sees all of the first
		if moved := c.places.find(as); moved.file.ino == found.FileIno {
			return moved
		}
	}
	return at
}

// held takes who holds a socket now.
func (c *Local) held(s *socket, now *bpf.UnixSocket, clock bpf.Clock) {
	if now.Owner.Tgid == s.Owner.Tgid && now.Owner.StartNs == s.Owner.StartNs && now.Owner.ExeIno == s.Owner.ExeIno {
		return
	}
	before := s.entry.ServiceID(c.cfg.Host)
	s.UnixSocket = *now
	s.entry.Process = c.cfg.Processes.Resolve(bpf.Owner(now.Owner), bpf.Image{})
	if s.entry.ServiceID(c.cfg.Host) != before { // another program serves since
		s.entry.Since, s.entry.SinceApprox = latest(clock.Boot(now.Owner.StartNs), s.entry.Since), true
	}
	c.emit(model.PackageListeners, s.entry.Key(), s.entry.Listener, false, clock)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// maybeEnded ends a socket that no process holds, unless it is on its way to one.
func (c *Local) maybeEnded(s *socket, clock bpf.Clock) {
	if alive, err := c.cfg.Kernel.StillServes(&s.UnixSocket); err == nil && alive {
		return
	}
	l := c.sockets.remove(s, clock.Wall)
	c.emit(model.PackageListeners, l.Key(), l, false, clock)
}
