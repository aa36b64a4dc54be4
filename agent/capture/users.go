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
// look at the process after it began to listen: a second, two, four and eight later, since some have much to do
// before, above all while a machine starts.
const (
	becomesAfter  = time.Second
	becomesWithin = 8 // of them
)

// users are the listeners to look at. They are guarded by the Capture's lock.
type users struct {
	due  map[*listening]begun
	late pace.Late // runs lookAtUsers
}

// begun is whose a listener was as it began.
type begun struct {
	owner bpf.Owner
	since int // how often lookAtUsers has run
}

// began makes a listener due that began while the agent runs, if it is the owner who is named: sockets that share
// a port may be told in any order.
func (c *Capture) began(l *listening, owner bpf.Owner) {
	if owner.Kind == bpf.OwnerProcess && l.PID == int(owner.Tgid) && !c.closed {
		c.lookAtUserOf(l, begun{owner: owner})
	}
}

func (c *Capture) lookAtUserOf(l *listening, b begun) {
	if c.users.due == nil {
		c.users.due = make(map[*listening]begun)
	}
	c.users.due[l] = b
	c.users.late.Begin(becomesAfter, c.lookAtUsers)
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
	for l, b := range due {
		if l.Sockets == 0 || l.PID != int(b.owner.Tgid) {
			continue // it has ended, or is another's
		}
		if b.since++; b.since < becomesWithin {
			c.lookAtUserOf(l, b)
		}
		if b.since&(b.since-1) == 0 && c.hasLeft(l, b.owner, clock) {
			left[l] = struct{}{}
		}
	}
	if len(left) > 0 {
		c.findOwners(left)
	}
}

// hasLeft says whether the process of a listener has gone or runs another program; else it tells as whom it runs.
func (c *Capture) hasLeft(l *listening, owner bpf.Owner, clock bpf.Clock) bool {
	if l.PID != 1 && !host.Lives(owner, l.Exe) {
		return true
	}
	if owner.Uid != 0 {
		return false
	}
	now, known := c.processes.AsNow(owner)
	if known && (now.UIDNum != l.UIDNum || now.GIDNum != l.GIDNum) {
		l.Process = now
		c.emit(model.PackageListeners, l.Key(), l.Listener, false, clock)
	}
	return false
}
