package rings

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"cassini/manager/recent"
	"cassini/model"
)

// Config is what New needs.
type Config struct {
	Self     model.RingMember // the manager: ManagerHost and where it hears datagrams
	Host     string           // the host that the manager runs on
	Local    string           // the same if an agent in this process is there, which need not be watched
	Profile  model.Profile    // of new rings; the zero value is the standard one
	World    World
	Rand     *rand.Rand
	Secret   func() model.Secret      // makes a new secret
	Limit    int                      // hosts; 0 is DefaultLimit
	Rotation time.Duration            // for which a ring's keys are in use, more or less; 0 is until Rotate
	Tenant   func(host string) string // whose a host is; nil where there are no tenants
	Reporter model.ReportID           // of the manager's own verdicts: name, incarnation, last sequence
}

// DefaultLimit of hosts.
const DefaultLimit = 100_000

// Errors of Join.
var (
	ErrInvalid = errors.New("cannot join")
	ErrBusy    = errors.New("too many places are being told at once: try again later")
	ErrFull    = errors.New("no room for another host")
)

// Rings is the state of all. It is not safe for concurrent use.
type Rings struct {
	cfg    Config
	hosts  map[string]*Host
	rings  map[model.RingID]*Ring
	zones  map[string][]model.RingID // rings of a zone, of all tenants, in order; level > 0: "top/N"
	levels map[tier]int              // how many rings there are on each
	// ended are the last epochs of rings that are no more, as far as this life knows.
	ended    map[model.RingID]model.Epoch
	pending  map[place]*instruction
	queue    queue            // of what is pending
	reminder reminder         // after a restart
	told     map[place]uint64 // marks of what hosts were told last
	seed     maphash.Seed     // of marks
	glance   model.Assignment // a place that is looked at, and not kept
	requests map[string]*request
	checks   map[string]*check    // by zone
	lost     map[string]*lostZone // by zone
	alone    map[string]*vigil
	cares    map[string]*care
	nextCare time.Time // zero is never
	rotation time.Time // when a ring's keys are due; zero is never
	seen     recent.Set[model.ReportID]
	erred    map[string]time.Time // when a host last said of a living one that it is not there
	stats    Stats
}

// tier is one level of a tenant's rings: no ring has hosts of two tenants.
type tier struct {
	tenant string
	level  int
}

func (g *Ring) tier() tier { return tier{g.Tenant, g.Level} }

// place is one host's place in one ring.
type place struct {
	ring model.RingID
	host string
}

// Stats are totals since the start.
type Stats struct {
	Repairs      uint64 // changes of a ring
	Rotations    uint64 // of a ring's keys
	Instructions uint64 // sent, with repetitions
	Stale        uint64 // verdicts on a life that is over, or told before
	Verdicts     map[model.VerdictKind]uint64
	Inquiries    uint64
}

// New makes the state of an estate without hosts.
func New(c Config) *Rings {
	if c.Profile == (model.Profile{}) {
		c.Profile = model.StandardProfile()
	}
	c.Limit = cmp.Or(c.Limit, DefaultLimit)
	return &Rings{
		cfg: c, hosts: make(map[string]*Host), rings: make(map[model.RingID]*Ring), zones: make(map[string][]model.RingID), levels: make(map[tier]int), ended: make(map[model.RingID]model.Epoch),
		pending: make(map[place]*instruction), told: make(map[place]uint64), seed: maphash.MakeSeed(), requests: make(map[string]*request), erred: make(map[string]time.Time),
		checks: make(map[string]*check), lost: make(map[string]*lostZone), alone: make(map[string]*vigil), cares: make(map[string]*care),
		seen:  recent.Set[model.ReportID]{Limit: maxReports},
		stats: Stats{Verdicts: make(map[model.VerdictKind]uint64)},
	}
}

// Restore takes back what was on disk. What of it was acknowledged is not known any more: so
// every member is told its place again, from Remind on.
func (r *Rings) Restore(hosts []*Host, rings []*Ring, now time.Time) {
	for _, h := range hosts {
		r.hosts[h.Host] = h
	}
	slices.SortFunc(rings, func(a, b *Ring) int { return cmp.Compare(a.ID, b.ID) })
	for _, ring := range rings {
		r.rings[ring.ID] = ring
		r.zones[ring.group()] = append(r.zones[ring.group()], ring.ID)
		r.levels[ring.tier()]++
		r.planAgain(ring, now)
	}
	r.reminder.rings = slices.Clone(rings)
	for _, h := range r.Hosts() {
		h.word = now
		r.watchIfAlone(h, now)
		r.careFor(h, now)
		r.findLost(h, now)
		r.resettle(h, now)
	}
}

// group is the zone of a ring of hosts, and the level of others.
func (g *Ring) group() string {
	if g.Level > 0 {
		return fmt.Sprintf("top/%d", g.Level)
	}
	return g.Zone
}

// Join takes a host in, or notes that it lives again, and answers what it needs to know.
// Errors wrap ErrInvalid, ErrBusy or ErrFull.
func (r *Rings) Join(j model.Join, now time.Time) (*model.Joined, error) {
	if err := validate(j); err != nil {
		return nil, err
	}
	h := r.hosts[j.Host]
	switch {
	case len(r.pending) > maxPending:
		return nil, ErrBusy
	case h == nil && len(r.hosts) >= r.cfg.Limit:
		return nil, fmt.Errorf("%w: %d have joined, as many as --max-hosts of the manager allows", ErrFull, len(r.hosts))
	case h == nil:
		h = &Host{RingMember: j.RingMember, Secret: r.cfg.Secret(), State: Up, Since: now}
		r.hosts[j.Host] = h
	case j.Incarnation < h.Incarnation:
		return &model.Joined{Incarnation: h.Incarnation + 1}, nil // it lost its count
	}
	again := j.Incarnation > h.Incarnation || !h.alive()
	r.lives(h, j.Incarnation, now)
	moved := h.Zone != j.Zone || h.Addr != j.Addr
	if r.changeTenant(h, now) || h.Zone != j.Zone {
		r.remove(h, now) // the answer tells where it has no place any more
		r.release(h, now)
	}
	h.RingMember, h.Chassis, h.Watch = j.RingMember, j.Chassis, j.Watch
	if again {
		r.revive(h, "restarted", now)
	}
	if len(h.Rings) == 0 {
		r.insert(h, now)
	} else if moved || again {
		r.changed(h, now)
	}
	r.cfg.World.KeepHost(h)
	return r.joined(h, now), nil
}

func validate(j model.Join) error {
	switch {
	case j.Host == "" || len(j.Host) > 64 || strings.HasPrefix(j.Host, "("):
		return fmt.Errorf("%w: the host's name %q is empty, has more than 64 bytes or begins with a bracket", ErrInvalid, j.Host)
	case len(j.Zone) > 32:
		return fmt.Errorf("%w: the zone %q has more than 32 bytes", ErrInvalid, j.Zone)
	case !j.Addr.IsValid() || j.Addr.Port() == 0 || j.Addr.Addr().IsUnspecified():
		return fmt.Errorf("%w: heartbeats cannot be sent to %q", ErrInvalid, j.Addr)
	case j.Incarnation == 0:
		return fmt.Errorf("%w: the incarnation is missing", ErrInvalid)
	}
	return nil
}

// joined answers a host; what is in the answer need not be told again if it gets there.
func (r *Rings) joined(h *Host, now time.Time) *model.Joined {
	answer := &model.Joined{
		Incarnation: h.Incarnation, Manager: r.cfg.Self, Ring: model.ManagerRing(h.Host), Keys: personal(h),
	}
	for _, id := range h.Rings {
		ring := r.rings[id]
		answer.Assignments = append(answer.Assignments, r.assignment(ring, h.Host))
		r.instruct(ring, h.Host, now.Add(firstRepeat))
	}
	for id, epoch := range h.Left {
		answer.Assignments = append(answer.Assignments, &model.Assignment{Ring: id, Epoch: epoch, Gone: true})
	}
	r.dismiss(h, now.Add(firstRepeat))
	return answer
}

// personal are the keys of a host's ring with the manager.
func personal(h *Host) model.KeySet {
	return model.KeySet{Current: 1, Keys: []model.RingKey{{ID: 1, Secret: h.Secret}}}
}

// Host is what is known of one, or nil. The caller does not change it.
func (r *Rings) Host(name string) *Host { return r.hosts[name] }

// Hosts are all, by name. The caller does not change them.
func (r *Rings) Hosts() (all []*Host) {
	for _, name := range slices.Sorted(maps.Keys(r.hosts)) {
		all = append(all, r.hosts[name])
	}
	return all
}

// Rings are all rings, by level and name, without their keys.
func (r *Rings) Rings() (all []model.Ring) {
	for _, ring := range r.rings {
		all = append(all, r.public(ring))
	}
	slices.SortFunc(all, func(a, b model.Ring) int { return cmp.Or(b.Level-a.Level, cmp.Compare(a.ID, b.ID)) })
	return all
}

// Health are all rings with how they are.
func (r *Rings) Health() []model.RingHealth {
	all := []model.RingHealth{}
	for _, ring := range r.Rings() {
		h := model.RingHealth{Ring: ring, State: model.RingWhole}
		for _, m := range ring.Members {
			if r.waits(r.rings[ring.ID], m.Host) {
				h.State, h.Unacknowledged = model.RingMending, append(h.Unacknowledged, m.Host)
			}
			if r.hosts[m.Host].State != Up {
				h.Unwell = append(h.Unwell, m.Host)
			}
		}
		if len(h.Unwell) > 0 {
			h.State = model.RingTorn
		}
		all = append(all, h)
	}
	return all
}

// Ring is one of them.
func (r *Rings) Ring(id model.RingID) (model.Ring, bool) {
	ring := r.rings[id]
	if ring == nil {
		return model.Ring{}, false
	}
	return r.public(ring), true
}

func (r *Rings) public(ring *Ring) model.Ring {
	answer := model.Ring{ID: ring.ID, Epoch: ring.Epoch, Level: ring.Level, Tenant: ring.Tenant, Zone: ring.Zone, Profile: ring.Profile, Members: []model.RingMember{}}
	for _, host := range ring.Order {
		answer.Members = append(answer.Members, r.hosts[host].RingMember)
	}
	return answer
}

// Keys are the keys of a ring, or of a host's ring with the manager; none when there is
// no such ring.
func (r *Rings) Keys(id model.RingID) model.KeySet {
	if ring := r.rings[id]; ring != nil {
		return ring.keys()
	}
	if host, ok := strings.CutPrefix(string(id), string(model.ManagerRing(""))); ok && r.hosts[host] != nil {
		return personal(r.hosts[host])
	}
	return model.KeySet{}
}

// WatchedBy is who watches a host: its neighbors, by name, the manager for one that has
// none or is deaf, nobody for the manager's own machine when it is alone.
func (r *Rings) WatchedBy(host string) (list []string) {
	h := r.hosts[host]
	if h == nil {
		return nil
	}
	for _, id := range h.Rings {
		order := r.rings[id].Order
		n, at := len(order), slices.Index(order, host)
		for _, neighbor := range []string{order[(at+n-1)%n], order[(at+1)%n]} {
			if neighbor != host && !slices.Contains(list, neighbor) {
				list = append(list, neighbor)
			}
		}
	}
	if len(list) == 0 && (r.alone[host] != nil || h.State == Deaf) {
		list = append(list, model.ManagerHost)
	}
	return list
}

// Pending is how many places wait for their host's word that it has them.
func (r *Rings) Pending() int { return len(r.pending) + r.unreminded() }

// Stats copies the totals.
func (r *Rings) Stats() Stats {
	s := r.stats
	s.Verdicts = maps.Clone(s.Verdicts)
	return s
}
