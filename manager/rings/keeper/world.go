package keeper

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"time"

	"cassini/manager/rings"
	"cassini/model"
	"cassini/model/wire"
	"cassini/transport"
)

// world is rings.World of the real one.
type world struct{ k *Keeper }

// Send implements rings.World.
func (w world) Send(ring model.RingID, to model.RingMember, m wire.Message) {
	w.k.out = append(w.k.out, func() {
		if err := w.k.endpoint.Send(ring, to, m); err != nil {
			w.k.cfg.Logger.Debug("send datagram", "error", err)
		}
	})
}

// Ping implements rings.World.
func (w world) Ping(ring model.RingID, to model.RingMember) { w.k.endpoint.Ping(ring, to) }

// KeepHost implements rings.World.
func (w world) KeepHost(h *rings.Host) {
	kept := *h
	kept.Rings, kept.Left = slices.Clone(h.Rings), maps.Clone(h.Left)
	w.k.changed.hosts[h.Host] = kept
}

// KeepRing implements rings.World.
func (w world) KeepRing(r *rings.Ring) {
	kept := *r
	kept.Order = slices.Clone(r.Order)
	w.k.changed.rings[r.ID] = kept
}

// DropHost implements rings.World.
func (w world) DropHost(host string) {
	delete(w.k.changed.hosts, host)
	w.k.changed.gone[host] = true
}

// DropRing implements rings.World.
func (w world) DropRing(id model.RingID) {
	delete(w.k.changed.rings, id)
	w.k.changed.dropped[id] = true
}

// Verdict implements rings.World.
func (w world) Verdict(v model.Verdict) {
	about := []any{"kind", v.Kind, "host", v.Subject.Host, "clue", v.Evidence.Clue}
	if v.Was != "" {
		about = append(about, "was", v.Was)
	}
	if v.Became != "" {
		about = append(about, "became", v.Became)
	}
	w.k.cfg.Logger.Info("verdict of the manager", about...)
	doc, err := model.VerdictDocument(v, w.k.cfg.Host)
	if err != nil {
		w.k.cfg.Logger.Error("keep a verdict", "error", err)
		return
	}
	w.k.tell(doc)
}

// handler brings what the endpoint hears into the loop.
type handler struct{ k *Keeper }

// Receive implements transport.Handler.
func (h handler) Receive(ring model.RingID, from model.RingMember, m wire.Message) {
	_ = h.k.input(context.Background(), func(now time.Time) { h.k.rings.Receive(ring, from, m, now) })
}

// Refused implements transport.Handler.
func (h handler) Refused(addr netip.AddrPort) {
	_ = h.k.input(context.Background(), func(now time.Time) { h.k.rings.Refused(addr, now) })
}

// Reflected implements transport.Handler.
func (h handler) Reflected(r transport.Reflection) {
	_ = h.k.input(context.Background(), func(now time.Time) { h.k.rings.Reflected(r.From, r.Incarnation, r.Progress, now) })
}

// Echoed implements transport.Handler.
func (h handler) Echoed(addr netip.Addr) {
	_ = h.k.input(context.Background(), func(now time.Time) { h.k.rings.Echoed(addr, now) })
}
