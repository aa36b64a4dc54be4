package rings

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"cassini/model"
)

// insert gives a host a place in a ring of its tenant's in its zone, and lets it represent the
// ring if that lacks representatives.
func (r *Rings) insert(h *Host, now time.Time) {
	ring := r.roomIn(h.Zone, tier{h.Tenant, 0}, now)
	r.put(ring, h, now)
	r.represent(ring, now)
}

// roomIn is the first ring of a zone, or of a level's, that has room, or a new one.
func (r *Rings) roomIn(group string, of tier, now time.Time) *Ring {
	for _, id := range r.zones[group] {
		if ring := r.rings[id]; ring.Tenant == of.tenant && len(ring.Order) < MaxRing {
			return ring
		}
	}
	first := model.RingID(cmp.Or(group, "unzoned"))
	id := first
	for n := 2; r.rings[id] != nil; n++ {
		id = model.RingID(fmt.Sprintf("%s#%d", first, n))
	}
	ring := &Ring{ID: id, Tenant: of.tenant, Level: of.level, Epoch: r.beginning(id, now), Master: r.cfg.Secret(), Generation: 1, Profile: r.cfg.Profile}
	r.plan(ring, now)
	if of.level == 0 {
		ring.Zone = group
	}
	r.rings[id] = ring
	r.zones[group] = append(r.zones[group], id)
	r.levels[of]++
	return ring
}

// beginning is the first epoch of a ring: later than that of any ring of the same name,
// which members may remember though the manager has lost its record. Seconds since 1970
// are, as rings change less than once a second in the long run.
func (r *Rings) beginning(id model.RingID, now time.Time) model.Epoch {
	begin := model.Epoch(max(now.Unix(), 0))
	if len(r.ended) > maxEnded {
		maps.DeleteFunc(r.ended, func(_ model.RingID, last model.Epoch) bool { return last <= begin })
	}
	return max(r.ended[id], begin)
}

// maxEnded is from how many rings on that ended those are let go whose last epoch is past
// anyway.
const maxEnded = 1024

// put inserts a host where its neighbors are of other chassis. On rings above it is put
// beside the other one of its zone, so that only two heartbeats of a zone leave its switch
// each interval.
func (r *Rings) put(ring *Ring, h *Host, now time.Time) {
	at := r.gap(ring, h)
	ring.Order = slices.Insert(ring.Order, at, h.Host)
	h.Rings = append(h.Rings, ring.ID)
	delete(h.Left, ring.ID)
	r.cfg.World.KeepHost(h)
	r.moved(ring, at, now)
	r.companyChanged(ring, h, now)
}

func (r *Rings) gap(ring *Ring, h *Host) int {
	n := len(ring.Order)
	if ring.Level > 0 {
		return slices.IndexFunc(ring.Order, func(o string) bool { return r.hosts[o].Zone == h.Zone }) + 1
	}
	together := func(host string) bool { return h.Chassis != "" && r.hosts[host].Chassis == h.Chassis }
	best, fewest := n, 3
	for at := n; at >= 1; at-- {
		close := 0
		for _, host := range []string{ring.Order[at-1], ring.Order[at%n]} {
			if together(host) {
				close++
			}
		}
		if close < fewest {
			best, fewest = at, close
		}
		if fewest == 0 {
			break
		}
	}
	return best
}

// remove takes a host out of all rings, and mends them.
func (r *Rings) remove(h *Host, now time.Time) {
	for len(h.Rings) > 0 {
		r.take(r.rings[h.Rings[len(h.Rings)-1]], h, now)
	}
	r.cfg.World.KeepHost(h)
}

// changeTenant shuts a host out that has become another tenant's. It is false for one that has not.
func (r *Rings) changeTenant(h *Host, now time.Time) bool {
	tenant := ""
	if r.cfg.Tenant != nil {
		tenant = r.cfg.Tenant(h.Host)
	}
	if h.Tenant == tenant {
		return false
	}
	r.shutOut(h, now)
	h.Tenant = tenant
	return true
}

// resettle takes a host that has become another tenant's to the rings of that one.
func (r *Rings) resettle(h *Host, now time.Time) {
	if !r.changeTenant(h, now) {
		return
	}
	if h.alive() {
		r.insert(h, now)
	}
	r.dismiss(h, now)
	r.cfg.World.KeepHost(h)
}

// shutOut removes a host that may not know any more what its rings tell each other. They get
// new keys, since it knows the next ones too.
func (r *Rings) shutOut(h *Host, now time.Time) {
	was := slices.Clone(h.Rings)
	r.remove(h, now)
	for _, id := range was {
		if ring := r.rings[id]; ring != nil {
			ring.Master, ring.Generation = r.cfg.Secret(), 1
			r.plan(ring, now)
			r.tellAll(ring, func() time.Time { return now })
		}
	}
}

// take removes a host from one ring, and replaces it as a representative.
func (r *Rings) take(ring *Ring, h *Host, now time.Time) {
	at := slices.Index(ring.Order, h.Host)
	ring.Order = slices.Delete(ring.Order, at, at+1)
	h.Rings = slices.DeleteFunc(h.Rings, func(id model.RingID) bool { return id == ring.ID })
	gone := place{ring.ID, h.Host}
	delete(r.told, gone)
	delete(r.pending, gone)
	h.leave(ring)
	if len(ring.Order) == 0 {
		r.drop(ring)
	} else {
		r.moved(ring, at, now)
	}
	r.companyChanged(ring, h, now)
	if ring.Level == 0 {
		r.represent(ring, now)
	}
}

// leave notes that a host has no place in a ring any more, and does not know that.
func (h *Host) leave(ring *Ring) {
	if h.Left == nil {
		h.Left = make(map[model.RingID]model.Epoch)
	}
	h.Left[ring.ID] = ring.Epoch + 1
}

func (r *Rings) drop(ring *Ring) {
	group := ring.group()
	r.zones[group] = slices.DeleteFunc(r.zones[group], func(id model.RingID) bool { return id == ring.ID })
	if len(r.zones[group]) == 0 {
		delete(r.zones, group)
	}
	delete(r.rings, ring.ID)
	r.levels[ring.tier()]--
	r.ended[ring.ID] = ring.Epoch + 1
	r.cfg.World.DropRing(ring.ID)
}

// represent sees to it that a ring has its representatives on the ring above, as soon as
// its tenant has more than one ring on its level.
func (r *Rings) represent(ring *Ring, now time.Time) {
	above := tier{ring.Tenant, ring.Level + 1}
	switch {
	case r.levels[ring.tier()] < 2:
		r.dissolve(above, now)
	case r.levels[above] > 0: // the other rings have theirs
		r.delegate(ring, above, now)
	default:
		for _, low := range r.level(ring.tier()) {
			r.delegate(low, above, now)
		}
	}
}

// delegate sends the first members that are not yet above.
func (r *Rings) delegate(low *Ring, to tier, now time.Time) {
	sent := 0
	var candidates []*Host
	for _, name := range low.Order {
		h := r.hosts[name]
		if r.on(h, to.level) != nil {
			sent++
		} else if h.alive() {
			candidates = append(candidates, h)
		}
	}
	for _, h := range candidates {
		if sent >= Representatives {
			return
		}
		above := r.roomIn(fmt.Sprintf("top/%d", to.level), to, now)
		r.put(above, h, now)
		r.represent(above, now)
		sent++
	}
}

// on is the ring of a level that a host is on, or nil.
func (r *Rings) on(h *Host, level int) *Ring {
	for _, id := range h.Rings {
		if ring := r.rings[id]; ring.Level == level {
			return ring
		}
	}
	return nil
}

// level are the rings of one, by name.
func (r *Rings) level(of tier) (list []*Ring) {
	for _, ring := range r.rings {
		if ring.tier() == of {
			list = append(list, ring)
		}
	}
	slices.SortFunc(list, func(a, b *Ring) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// dissolve ends a tenant's rings of a level and above: what is below is one ring.
func (r *Rings) dissolve(of tier, now time.Time) {
	if r.levels[of] == 0 {
		return
	}
	for _, ring := range r.level(of) {
		for _, name := range slices.Clone(ring.Order) {
			h := r.hosts[name]
			ring.Order = slices.DeleteFunc(ring.Order, func(o string) bool { return o == name })
			h.Rings = slices.DeleteFunc(h.Rings, func(id model.RingID) bool { return id == ring.ID })
			delete(r.told, place{ring.ID, name})
			h.leave(ring)
			r.dismiss(h, now)
			r.watchIfAlone(h, now)
			r.cfg.World.KeepHost(h)
		}
		r.drop(ring)
	}
	r.dissolve(tier{of.tenant, of.level + 1}, now)
}
