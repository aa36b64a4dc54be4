package capture

import (
	"time"

	"cassini/agent/host"
	"cassini/agent/pace"
	"cassini/bpf"
	"cassini/model"
)

// Daemons open their sockets as root, and then become somebody else; or leave them to a child that goes on
// where the terminal does not see it, or to the program that they begin in their place. No event tells. So we
// look at the process once, a moment after it began to listen.
const becomesWithin = time.Second

// users are the listeners to look at. They are guarded by the Capture's lock.
type users struct {
	due  map[*listening]bpf.Owner
	late pace.Late // runs lookAtUsers
}

// began makes a listener due that began while the agent runs, if it is the owner who is named: sockets that share
// a port may be told in any order.
func (c *Capture) began(l *listening, owner bpf.Owner) {
	if owner.Kind != bpf.OwnerProcess || l.PID != int(owner.Tgid) || c.closed {
		return
	}
	if c.users.due == nil {
		c.users.due = make(map[*listening]bpf.Owner)
	}
	c.users.due[l] = owner
	c.users.late.Begin(becomesWithin, c.lookAtUsers)
}

// lookAtUsers tells of the listeners that are due and still there as whom their processes run, or who has them now.
func (c *Capture) lookAtUsers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.users.due
	c.users.due = nil
	clock, err := bpf.ReadClock()
	if c.closed || err != nil {
		return
	}
	left := make(map[*listening]struct{})
	for l, owner := range due {
		if l.Sockets == 0 || l.PID != int(owner.Tgid) {
			continue // it has ended, or is another's
		}
		if l.PID != 1 && !host.Lives(owner, l.Exe) {
			left[l] = struct{}{}
			continue
		}
		if owner.Uid != 0 {
			continue
		}
		now, known := c.processes.AsNow(owner)
		if !known || now.UIDNum == l.UIDNum && now.GIDNum == l.GIDNum {
			continue
		}
		l.Process = now
		c.emit(model.PackageListeners, l.Key(), l.Listener, false, clock)
	}
	if len(left) > 0 {
		c.findOwners(left)
	}
}
