package simulator

import (
	"net/netip"
	"time"

	"cassini/agent/heartbeat/member"
	"cassini/model"
	"cassini/model/wire"
)

// Condition of a host.
type Condition int

// Conditions.
const (
	Running Condition = iota
	Frozen            // the agent gets no CPU; the kernel answers
	Killed            // the agent is gone; the kernel answers
	Dead              // nothing answers
)

// Hearing is what comes in of what is sent to a host. What it sends goes out.
type Hearing int

// Hearings.
const (
	Hears    Hearing = iota
	Filtered         // all but datagrams of agents and manager
	Deaf             // nothing
)

// Node is one host with its agent.
type Node struct {
	Name   string
	Zone   string
	Link   bool // of its interface
	State  Condition
	Ears   Hearing
	Member *member.Member
	// Sent counts datagrams, Starved makes the host doubt itself.
	Sent    uint64
	Starved bool

	sim     *Sim
	addr    netip.AddrPort
	life    model.Incarnation
	watches map[watchKey]*watch
	inbox   []func() // while it is frozen
	spool   []model.Verdict
	retry   time.Time // before which nothing is delivered
	saved   []*model.Assignment
	wake    time.Time // of the tick that is on the agenda
	joined  bool
}

type watchKey struct {
	ring model.RingID
	from string
}

// watch is the kernel's: it goes on while the agent is frozen.
type watch struct {
	silence time.Duration
	last    time.Time
	expired bool
	again   bool // a new window after it expired: a heartbeat is a return
	life    model.Incarnation
}

// do runs what the agent does, now or when it gets CPU again.
func (n *Node) do(what func()) {
	switch n.State {
	case Running:
		what()
		n.schedule()
	case Frozen:
		if len(n.inbox) < 1000 {
			n.inbox = append(n.inbox, what)
		}
	}
}

// schedule puts the member's next tick on the agenda.
func (n *Node) schedule() {
	next := n.Member.Next()
	if next.IsZero() || !n.wake.IsZero() && !next.Before(n.wake) && n.wake.After(n.sim.now) {
		return
	}
	n.wake = next
	n.sim.at(next, func() {
		if !n.wake.Equal(next) {
			return
		}
		n.wake = time.Time{}
		n.do(func() { n.Member.Tick(n.sim.now) })
	})
}

// Beat is member.World's.
func (n *Node) Beat(ring model.RingID, to model.RingMember) {
	life := n.life
	if o := n.sim.Nodes[to.Host]; o != nil && o.Zone == n.Zone {
		n.sim.Inside++
	} else {
		n.sim.Across++
	}
	if n.sim.Lazy {
		n.Sent++
		return
	}
	n.send(to.Host, func(o *Node) { o.heard(ring, n.Name, life) }, nil)
}

// heard is the kernel's program: it needs no CPU of the agent.
func (n *Node) heard(ring model.RingID, from string, life model.Incarnation) {
	w := n.watches[watchKey{ring, from}]
	if w == nil || n.State > Frozen || life < w.life {
		return
	}
	w.last = n.sim.now
	if w.expired || w.again || life > w.life {
		expired := w.expired
		w.expired, w.again, w.life = false, false, life
		n.do(func() { n.Member.Resumed(ring, from, life, n.sim.now) })
		if expired {
			n.expire(watchKey{ring, from}, w)
		}
	}
}

// expire puts the end of the window on the agenda.
func (n *Node) expire(key watchKey, w *watch) {
	if o := n.sim.Nodes[key.from]; n.sim.Lazy && o != nil && o.State == Running && n.sim.reaches(o, n) {
		return // heartbeats come
	}
	due := w.last.Add(w.silence)
	n.sim.at(due, func() {
		switch {
		case n.watches[key] != w || n.State > Frozen || w.expired:
		case w.last.Add(w.silence).After(n.sim.now):
			n.expire(key, w)
		default:
			w.expired = true
			silent := n.sim.now.Sub(w.last)
			n.do(func() { n.Member.Silent(key.ring, key.from, silent, n.sim.now) })
		}
	})
}

// Watch is member.World's.
func (n *Node) Watch(ring model.RingID, from model.RingMember, _ model.KeySet, p model.Profile) {
	key := watchKey{ring, from.Host}
	if n.watches[key] != nil {
		return
	}
	w := &watch{silence: p.Silence, last: n.sim.now}
	n.watches[key] = w
	n.expire(key, w)
}

// Rewatch is member.World's.
func (n *Node) Rewatch(ring model.RingID, from string) {
	key := watchKey{ring, from}
	old := n.watches[key]
	if old == nil {
		return
	}
	w := &watch{silence: old.silence, last: n.sim.now, life: old.life, again: old.expired || old.again}
	n.watches[key] = w
	n.expire(key, w)
}

// Unwatch is member.World's.
func (n *Node) Unwatch(ring model.RingID, from string) { delete(n.watches, watchKey{ring, from}) }

// Send is member.World's.
func (n *Node) Send(ring model.RingID, to model.RingMember, m wire.Message) {
	n.sim.count(m.Type)
	self := n.Member.Self()
	if to.Host == model.ManagerHost {
		n.toManager(func() { n.sim.Manager.receive(ring, self, m) })
		return
	}
	n.send(to.Host, func(o *Node) {
		o.do(func() { o.Member.Receive(ring, self, m, n.sim.now) })
	}, func() { n.do(func() { n.Member.Refused(to.Addr, n.sim.now) }) })
}

// Ping is member.World's.
func (n *Node) Ping(_ model.RingID, member model.RingMember) {
	to := member.Addr.Addr()
	if o := n.sim.byAddr[to]; o != nil {
		n.sim.carry(n, o, func() {
			n.sim.carry(o, n, func() { n.do(func() { n.Member.Echoed(to, n.sim.now) }) })
		})
	}
}

// send carries a datagram to a host's agent; refused is called if only its kernel is there.
func (n *Node) send(to string, deliver func(*Node), refused func()) {
	n.Sent++
	o := n.sim.Nodes[to]
	if o == nil {
		return
	}
	n.sim.datagram(n, o, func() {
		if o.State != Killed {
			deliver(o)
		} else if refused != nil {
			n.sim.carry(o, n, refused)
		}
	})
}

func (n *Node) toManager(do func()) {
	n.Sent++
	n.sim.datagram(n, n.sim.Manager.node, func() {
		if n.sim.Manager.Up {
			do()
		}
	})
}

// Join and Part are member.World's: keys are of the agent's sockets.
func (n *Node) Join(*model.Assignment) {}

// Part is member.World's.
func (n *Node) Part(model.RingID) {}

// Save is member.World's.
func (n *Node) Save(assignments []*model.Assignment) { n.saved = assignments }

// Doubts is member.World's.
func (n *Node) Doubts() (list []string) {
	if n.Starved {
		list = append(list, "starved")
	}
	if !n.Link {
		list = append(list, "link-down")
	}
	return list
}

// Report is member.World's: the outbox, which tries until it gets there.
func (n *Node) Report(v model.Verdict) {
	n.spool = append(n.spool, v)
	n.deliver()
}

// Relay is member.World's.
func (n *Node) Relay(v model.Verdict) { n.Report(v) }

func (n *Node) deliver() {
	if len(n.spool) == 0 || n.State != Running || n.sim.now.Before(n.retry) {
		return
	}
	if m := n.sim.Manager; m.Up && n.sim.talks(n, m.node) {
		list := n.spool
		n.spool = nil
		n.sim.after(n.sim.latency(), func() { // one delivery after the other, in order
			for _, v := range list {
				m.take(n.Name, v)
			}
		})
		return
	}
	pause := time.Second
	if slow := n.sim.Slow; slow > 0 {
		pause += time.Duration(n.sim.Rand.Int64N(int64(slow)))
		n.retry = n.sim.now.Add(pause)
	}
	n.sim.after(pause, n.deliver)
}
