package simulator

import (
	"maps"
	"slices"
	"time"

	"cassini/manager/rings"
	"cassini/model"
	"cassini/model/wire"
)

func (m *Manager) schedule() {
	next := m.Rings.Next()
	if next.IsZero() || !m.wake.IsZero() && !next.Before(m.wake) && m.wake.After(m.sim.now) {
		return
	}
	m.wake = next
	m.sim.at(next, func() {
		if !m.wake.Equal(next) || !m.Up {
			return
		}
		m.wake = time.Time{}
		m.Rings.Tick(m.sim.now)
		m.schedule()
	})
}

func (m *Manager) receive(ring model.RingID, from model.RingMember, msg wire.Message) {
	m.Rings.Receive(ring, from, msg, m.sim.now)
	m.schedule()
}

func (m *Manager) take(by string, v model.Verdict) {
	m.Verdict(v)
	m.Rings.TakeFrom(by, v, m.sim.now)
	m.schedule()
}

// Send is rings.World's.
func (m *Manager) Send(ring model.RingID, to model.RingMember, msg wire.Message) {
	m.Sent++
	o := m.sim.Nodes[to.Host]
	if o == nil {
		return
	}
	self := model.RingMember{Host: model.ManagerHost}
	m.sim.datagram(m.node, o, func() {
		if o.State == Killed {
			m.sim.carry(o, m.node, func() { m.Rings.Refused(o.addr, m.sim.now) })
			return
		}
		o.do(func() { o.Member.Receive(ring, self, msg, m.sim.now) })
	})
}

// Ping is rings.World's.
func (m *Manager) Ping(_ model.RingID, member model.RingMember) {
	to := member.Addr.Addr()
	if o := m.sim.byAddr[to]; o != nil {
		m.sim.carry(m.node, o, func() {
			m.sim.carry(o, m.node, func() { m.Rings.Echoed(to, m.sim.now) })
		})
	}
}

// KeepHost is rings.World's.
func (m *Manager) KeepHost(h *rings.Host) {
	kept := *h
	kept.Rings, kept.Left = slices.Clone(h.Rings), maps.Clone(h.Left)
	m.disk.hosts[h.Host] = &kept
}

// KeepRing is rings.World's.
func (m *Manager) KeepRing(r *rings.Ring) {
	kept := *r
	kept.Order = slices.Clone(r.Order)
	m.disk.rings[r.ID] = &kept
}

// DropHost is rings.World's.
func (m *Manager) DropHost(host string) { delete(m.disk.hosts, host) }

// DropRing is rings.World's.
func (m *Manager) DropRing(id model.RingID) { delete(m.disk.rings, id) }

// Verdict is rings.World's.
func (m *Manager) Verdict(v model.Verdict) {
	if m.known[v.ID] {
		return
	}
	m.known[v.ID] = true
	m.Verdicts = append(m.Verdicts, Kept{m.sim.now, v})
}

// Restart begins again from what is on disk.
func (m *Manager) Restart() {
	m.Up, m.wake = true, time.Time{}
	m.start()
	m.Rings.Restore(slices.Collect(maps.Values(m.disk.hosts)), slices.Collect(maps.Values(m.disk.rings)), m.sim.now)
	m.Rings.Remind(m.sim.now)
	m.schedule()
}
