package heartbeat

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"cassini/agent/heartbeat/watch"
	"cassini/model"
	"cassini/model/wire"
	"cassini/transport"
)

// world is member.World of the real one. Its methods are called by the loop.
type world struct{ h *Heartbeat }

// Beat implements member.World.
func (w world) Beat(ring model.RingID, to model.RingMember) {
	if err := w.h.endpoint.Beat(ring, to, 0); err != nil {
		w.h.cfg.Logger.Debug("send heartbeat", "error", err)
	}
}

// Send implements member.World. The manager's address is what it said to this host.
func (w world) Send(ring model.RingID, to model.RingMember, m wire.Message) {
	if to.Host == model.ManagerHost {
		joined := w.h.keeper.read().Joined
		if joined == nil {
			return
		}
		to.Addr = joined.Manager.Addr
		if m.Type == wire.Report {
			w.h.cfg.Logger.Warn("nobody is heard, neither neighbors nor the manager", "silent", m.Verdict.Evidence.Silent)
		}
	}
	if err := w.h.endpoint.Send(ring, to, m); err != nil {
		w.h.cfg.Logger.Debug("send datagram", "error", err)
	}
}

// Ping implements member.World.
func (w world) Ping(ring model.RingID, to model.RingMember) { w.h.endpoint.Ping(ring, to) }

// Join implements member.World.
func (w world) Join(a *model.Assignment) {
	w.h.endpoint.Put(a.Ring, a.Keys)
	w.put(controlSet(a.Ring, a.Keys))
}

// controlSet is a ring's set of control datagrams.
func controlSet(ring model.RingID, keys model.KeySet) watch.Set {
	set := watch.Set{ID: wire.RingSet(ring)}
	for _, key := range keys.Keys {
		set.Keys = append(set.Keys, watch.Key{ID: key.ID, Tag: wire.RingTagKey(key.Secret, ring)})
	}
	return set
}

func (w world) put(set watch.Set) {
	if err := w.h.watch.Put(set); err != nil {
		w.h.cfg.Logger.Error("watch a ring", "error", err)
	}
}

// Part implements member.World.
func (w world) Part(ring model.RingID) {
	w.h.endpoint.Forget(ring)
	w.remove(wire.RingSet(ring))
}

func (w world) remove(id wire.Set) {
	if err := w.h.watch.Remove(id); err != nil {
		w.h.cfg.Logger.Error("end a watch", "error", err)
	}
}

// Watch implements member.World. Links without keys of their own have the ring's.
func (w world) Watch(ring model.RingID, from model.RingMember, keys model.KeySet, p model.Profile) {
	if keys.IsZero() {
		keys = w.ringKeys(ring)
	}
	if err := w.h.endpoint.PutBeat(ring, from.Host, keys); err != nil {
		w.h.cfg.Logger.Error("send heartbeats", "error", err)
	}
	set := watch.Set{ID: wire.LinkSet(ring, from.Host, w.h.cfg.Host), Interval: p.Interval, Silence: p.Silence}
	for _, key := range keys.Keys {
		set.Keys = append(set.Keys, watch.Key{ID: key.ID, Tag: wire.LinkTagKey(key.Secret, ring, from.Host, w.h.cfg.Host)})
	}
	w.h.mu.Lock()
	w.h.watched[set.ID] = watched{ring, from.Host}
	w.h.mu.Unlock()
	w.put(set)
}

func (w world) ringKeys(ring model.RingID) model.KeySet {
	for _, a := range w.h.member.Assignments() {
		if a.Ring == ring {
			return a.Keys
		}
	}
	return model.KeySet{}
}

// Rewatch implements member.World.
func (w world) Rewatch(ring model.RingID, from string) {
	if err := w.h.watch.Arm(wire.LinkSet(ring, from, w.h.cfg.Host)); err != nil {
		w.h.cfg.Logger.Error("begin a watch anew", "error", err)
	}
}

// Unwatch implements member.World.
func (w world) Unwatch(ring model.RingID, from string) {
	id := wire.LinkSet(ring, from, w.h.cfg.Host)
	w.h.mu.Lock()
	delete(w.h.watched, id)
	w.h.mu.Unlock()
	w.h.endpoint.ForgetBeat(ring, from)
	w.remove(id)
}

// Report implements member.World.
func (w world) Report(v model.Verdict) {
	w.h.cfg.Logger.Info("verdict", "kind", v.Kind, "host", v.Subject.Host, "ring", v.Ring, "silent", v.Evidence.Silent, "observations", v.Evidence.Observations)
	w.Relay(v)
}

// Relay implements member.World.
func (w world) Relay(v model.Verdict) {
	doc, err := model.VerdictDocument(v, w.h.cfg.Host)
	if err != nil {
		w.h.cfg.Logger.Error("report a verdict", "error", err)
		return
	}
	w.h.cfg.Report(doc)
}

// Doubts implements member.World.
func (w world) Doubts() []string { return w.h.doubts.list(time.Now(), w.h.silence()) }

// Save implements member.World.
func (w world) Save(assignments []*model.Assignment) {
	leapt := false
	err := w.h.keeper.change(func(s *state) {
		leapt = leap(s.Assignments, assignments)
		s.Assignments = assignments
	})
	if leapt && w.h.cfg.Restored != nil {
		w.h.cfg.Restored()
	}
	if err != nil {
		w.h.cfg.Logger.Error("places in rings are not on disk: after a restart the manager has to tell them", "error", err)
	}
}

// leap says that a ring's epoch has leapt, as those of a manager do that was put back to a
// backup.
func leap(before, after []*model.Assignment) bool {
	return slices.ContainsFunc(after, func(a *model.Assignment) bool {
		return slices.ContainsFunc(before, func(b *model.Assignment) bool { return b.Ring == a.Ring && a.Epoch >= b.Epoch+model.EpochLeap })
	})
}

// handler brings what the endpoint hears into the loop.
type handler struct {
	h   *Heartbeat
	ctx context.Context
}

// Receive implements transport.Handler.
func (i handler) Receive(ring model.RingID, from model.RingMember, m wire.Message) {
	i.h.input(i.ctx, func(now time.Time) { i.h.member.Receive(ring, from, m, now) })
}

// Refused implements transport.Handler.
func (i handler) Refused(addr netip.AddrPort) {
	i.h.input(i.ctx, func(now time.Time) { i.h.member.Refused(addr, now) })
}

// Echoed implements transport.Handler.
func (i handler) Echoed(addr netip.Addr) {
	i.h.input(i.ctx, func(now time.Time) { i.h.member.Echoed(addr, now) })
}

// Reflected implements transport.Handler.
func (i handler) Reflected(r transport.Reflection) {
	i.h.input(i.ctx, func(now time.Time) { i.h.member.Reflected(r.From, r.Incarnation, r.Progress, now) })
}
