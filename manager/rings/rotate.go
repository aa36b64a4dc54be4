package rings

import (
	"maps"
	"slices"
	"time"
)

// DefaultRotation is how long the keys of a ring are in use.
const DefaultRotation = 24 * time.Hour

// postponed is when a rotation is tried again that found members who did not acknowledge
// the last change.
const postponed = time.Minute

// Rotate takes the next key of every ring into use. Members accept it already.
func (r *Rings) Rotate(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(r.rings)) {
		if ring := r.rings[id]; ring != nil {
			r.rotate(ring, now)
		}
	}
}

// rotate gives a ring the next key, unless all its hosts are another tenant's now.
func (r *Rings) rotate(ring *Ring, now time.Time) {
	for _, host := range slices.Clone(ring.Order) {
		r.resettle(r.hosts[host], now)
	}
	if r.rings[ring.ID] != ring {
		return
	}
	ring.Generation++
	r.plan(ring, now)
	r.stats.Rotations++
	r.tellAll(ring, func() time.Time { return now.Add(time.Duration(r.cfg.Rand.Int64N(int64(restoreSpread)))) })
}

// plan notes when a ring has new keys again: between three and five quarters of the
// rotation from now, so that rings that began together do not rotate together.
func (r *Rings) plan(ring *Ring, now time.Time) {
	every := r.cfg.Rotation
	if every <= 0 {
		ring.Rotation = time.Time{}
		return
	}
	r.rotateAt(ring, now.Add(every*3/4+time.Duration(r.cfg.Rand.Int64N(int64(every/2)+1))))
}

func (r *Rings) rotateAt(ring *Ring, at time.Time) {
	ring.Rotation = at
	if r.rotation.IsZero() || at.Before(r.rotation) {
		r.rotation = at
	}
}

// planAgain plans what was on disk. What is overdue, because the manager was away, is
// spread; what is too far away, because the clock or the configuration has changed, is
// planned anew.
func (r *Rings) planAgain(ring *Ring, now time.Time) {
	every := r.cfg.Rotation
	switch {
	case every <= 0 || ring.Rotation.IsZero() || ring.Rotation.After(now.Add(every*5/4)):
		r.plan(ring, now)
	case ring.Rotation.Before(now):
		r.rotateAt(ring, now.Add(time.Duration(r.cfg.Rand.Int64N(int64(every/16)+1))))
	default:
		r.rotateAt(ring, ring.Rotation)
	}
}

// rotateDue takes the next keys of rings into use whose time has come. A member that has
// missed two rotations would not know the keys of its neighbors: a ring waits for members
// that have not acknowledged its last change.
func (r *Rings) rotateDue(now time.Time) {
	if r.rotation.IsZero() || now.Before(r.rotation) {
		return
	}
	r.rotation = time.Time{}
	for _, id := range slices.Sorted(maps.Keys(r.rings)) {
		ring := r.rings[id]
		switch {
		case ring == nil || ring.Rotation.IsZero():
		case now.Before(ring.Rotation):
			r.rotateAt(ring, ring.Rotation)
		case r.isMending(ring):
			r.rotateAt(ring, now.Add(postponed))
		default:
			r.rotate(ring, now)
		}
	}
}

func (r *Rings) isMending(ring *Ring) bool {
	for _, host := range ring.Order {
		if r.waits(ring, host) {
			return true
		}
	}
	return false
}
