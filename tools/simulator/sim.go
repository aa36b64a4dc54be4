package simulator

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"cassini/agent/heartbeat/member"
	"cassini/manager/rings"
	"cassini/model"
	"cassini/model/wire"
)

// Sim is an estate.
type Sim struct {
	clock
	Rand    *rand.Rand
	Nodes   map[string]*Node
	Manager *Manager
	// Loss of each datagram, 0 to 1; with Burst the mean length of a run of losses.
	Loss  float64
	Burst float64
	// SwitchDown and Apart are zones: whose switch is down, and whose way to others is cut.
	SwitchDown, Apart map[string]bool
	// OneWay are pairs "from>to" whose datagrams are lost.
	OneWay  map[string]bool
	Profile model.Profile
	Types   map[wire.Type]uint64 // control datagrams of agents
	// Lazy leaves out heartbeats between hosts that reach each other, which change
	// nothing, but counts them. It is for estates without Loss, whose hosts fail by Fail.
	Lazy bool
	// Slow is how much longer than a second it takes at most until what could not be
	// delivered is tried again.
	Slow time.Duration
	// JoinRate is how many joins the manager takes a second; 0: any number.
	JoinRate float64
	// Inside and Across count heartbeats within a zone and between zones.
	Inside, Across uint64

	nextJoin time.Time

	byAddr map[netip.Addr]*Node
	bad    map[*Node]bool // in a run of losses
}

// Manager is the manager.
type Manager struct {
	Rings *rings.Rings
	Up    bool
	// Verdicts that were kept, in order, with when.
	Verdicts []Kept
	Sent     uint64

	sim   *Sim
	node  *Node
	wake  time.Time
	disk  disk
	life  model.Incarnation
	known map[model.ReportID]bool
}

// Kept is a verdict that the manager has.
type Kept struct {
	At time.Time
	model.Verdict
}

type disk struct {
	hosts map[string]*rings.Host
	rings map[model.RingID]*rings.Ring
}

// New makes an estate without hosts.
func New(seed uint64, p model.Profile) *Sim {
	s := &Sim{
		Rand: rand.New(rand.NewPCG(seed, 0)), Nodes: make(map[string]*Node), byAddr: make(map[netip.Addr]*Node),
		SwitchDown: make(map[string]bool), Apart: make(map[string]bool), OneWay: make(map[string]bool), Profile: p,
		Types: make(map[wire.Type]uint64), bad: make(map[*Node]bool),
	}
	s.now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	s.Manager = &Manager{sim: s, Up: true, known: make(map[model.ReportID]bool), node: &Node{Name: model.ManagerHost, Link: true, sim: s}, disk: disk{make(map[string]*rings.Host), make(map[model.RingID]*rings.Ring)}}
	s.Manager.start()
	return s
}

func (m *Manager) start() {
	m.life++
	m.Rings = rings.New(rings.Config{
		Self: model.RingMember{Host: model.ManagerHost}, Profile: m.sim.Profile, World: m, Rand: m.sim.Rand,
		Secret: m.sim.secret, Reporter: model.ReportID{Reporter: model.ManagerHost, Incarnation: m.life}, Limit: 10_000_000,
	})
}

func (s *Sim) secret() (secret model.Secret) {
	for i := 0; i < len(secret); i += 8 {
		binary.LittleEndian.PutUint64(secret[i:], s.Rand.Uint64())
	}
	return secret
}

// Now is virtual time.
func (s *Sim) Now() time.Time { return s.now }

// Run lets time pass.
func (s *Sim) Run(d time.Duration) { s.run(s.now.Add(d)) }

// Add makes a host whose agent joins at once.
func (s *Sim) Add(name, zone string) *Node {
	i := uint32(len(s.Nodes) + 1)
	var raw [4]byte
	binary.BigEndian.PutUint32(raw[:], 10<<24|i)
	n := &Node{
		Name: name, Zone: zone, Link: true, sim: s, watches: make(map[watchKey]*watch),
		addr: netip.AddrPortFrom(netip.AddrFrom4(raw), 1984),
	}
	s.Nodes[name] = n
	s.byAddr[n.addr.Addr()] = n
	n.Start()
	return n
}

// Build makes zones of hosts: "z1-h1", ...
func (s *Sim) Build(zones, hosts int) {
	for z := 1; z <= zones; z++ {
		for h := 1; h <= hosts; h++ {
			s.Add(fmt.Sprintf("z%d-h%d", z, h), fmt.Sprintf("z%d", z))
		}
	}
}

// Start begins a life of the agent, from what it had saved.
func (n *Node) Start() {
	n.life++
	n.State, n.watches, n.wake, n.joined = Running, make(map[watchKey]*watch), time.Time{}, false
	self := model.RingMember{Host: n.Name, Addr: n.addr, Incarnation: n.life, Zone: n.Zone}
	n.Member = member.New(member.Config{Self: self, World: n, Rand: n.sim.Rand})
	n.Member.Restore(n.saved, n.sim.now)
	n.schedule()
	n.join()
}

// join tells the manager, again until it answers.
func (n *Node) join() {
	m := n.sim.Manager
	if n.State != Running || n.joined {
		return
	}
	if rate := n.sim.JoinRate; rate > 0 && m.Up {
		if n.sim.nextJoin.Before(n.sim.now) {
			n.sim.nextJoin = n.sim.now
		}
		n.sim.nextJoin = n.sim.nextJoin.Add(time.Duration(float64(time.Second) / rate))
		n.sim.at(n.sim.nextJoin, n.joinNow)
		return
	}
	n.joinNow()
}

func (n *Node) joinNow() {
	m := n.sim.Manager
	if n.State != Running || n.joined {
		return
	}
	if m.Up && n.sim.talks(n, m.node) {
		answer, err := m.Rings.Join(model.Join{RingMember: n.Member.Self()}, n.sim.now)
		m.schedule()
		if err == nil {
			n.joined = true
			for _, a := range answer.Assignments {
				n.Member.Assign(a, n.sim.now)
			}
			n.schedule()
			return
		}
	}
	n.sim.after(time.Second+time.Duration(n.sim.Rand.Int64N(int64(time.Second))), n.join)
}

// Fail changes what ails a host, or what is around it, in a Lazy simulation: neighbors
// whose heartbeats stop are put on the agenda.
func (s *Sim) Fail(n *Node, how func()) {
	how()
	for _, a := range n.Member.Assignments() {
		for _, peer := range []string{a.Next.Host, a.Previous.Host} {
			o := s.Nodes[peer]
			if o == nil {
				continue
			}
			s.silence(n, o, a.Ring)
			s.silence(o, n, a.Ring)
		}
	}
}

// silence begins the window of one that does not hear another any more.
func (s *Sim) silence(from, to *Node, ring model.RingID) {
	key := watchKey{ring, from.Name}
	if w := to.watches[key]; w != nil && (from.State != Running || !s.reaches(from, to)) {
		w.last = s.now.Add(-time.Duration(s.Rand.Int64N(int64(s.Profile.Interval))))
		to.expire(key, w)
	}
}

// Thaw gives a frozen agent CPU again.
func (n *Node) Thaw() {
	n.State = Running
	inbox := n.inbox
	n.inbox = nil
	for _, what := range inbox {
		n.do(what)
	}
	n.Member.Tick(n.sim.now)
	n.schedule()
	n.deliver()
}

// latency of one way.
func (s *Sim) latency() time.Duration {
	return 100*time.Microsecond + time.Duration(s.Rand.Int64N(int64(400*time.Microsecond)))
}

// reaches says whether there is a way.
func (s *Sim) reaches(a, b *Node) bool {
	return a.State != Dead && b.State != Dead && a.Link && b.Link && b.Ears != Deaf && !s.SwitchDown[a.Zone] && !s.SwitchDown[b.Zone] &&
		(a.Zone == b.Zone || !s.Apart[a.Zone] && !s.Apart[b.Zone]) && !s.OneWay[a.Name+">"+b.Name]
}

// talks says whether there is a way and one back.
func (s *Sim) talks(a, b *Node) bool { return s.reaches(a, b) && s.reaches(b, a) }

// datagram carries one of agents and manager.
func (s *Sim) datagram(a, b *Node, deliver func()) {
	if b.Ears == Hears {
		s.carry(a, b, deliver)
	}
}

// carry delivers what is sent, unless it is lost.
func (s *Sim) carry(a, b *Node, deliver func()) {
	if !s.reaches(a, b) || s.loses(a) {
		return
	}
	s.after(s.latency(), func() {
		if b.State != Dead {
			deliver()
		}
	})
}

// loses is a chain of two states, so that losses come in runs of a mean length.
func (s *Sim) loses(from *Node) bool {
	if s.Loss == 0 {
		return false
	}
	if s.Burst <= 1 {
		return s.Rand.Float64() < s.Loss
	}
	p := 1 / s.Burst // out of the run
	if !s.bad[from] {
		p = s.Loss / (1 - s.Loss) / s.Burst // into it
	}
	if s.Rand.Float64() < p {
		s.bad[from] = !s.bad[from]
	}
	return s.bad[from]
}

func (s *Sim) count(t wire.Type) { s.Types[t]++ }

// Sent is how many datagrams all hosts have sent.
func (s *Sim) Sent() (sum uint64) {
	for _, n := range s.Nodes {
		sum += n.Sent
	}
	return sum
}
