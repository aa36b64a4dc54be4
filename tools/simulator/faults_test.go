package simulator

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/manager/rings"
	"cassini/model"
)

// fault is something that happens to an estate, and what the manager is to say of it.
type fault struct {
	name string
	do   func(*trial) map[string]rings.State
}

// trial is one estate to which one fault happens.
type trial struct {
	*Sim
	r            *rand.Rand
	zones, hosts int
}

// host is one of any zone but the first, which keeps the estate together.
func (c *trial) host() *Node {
	return c.Nodes[fmt.Sprintf("z%d-h%d", 1+c.r.IntN(c.zones), 1+c.r.IntN(c.hosts))]
}

// row is n hosts that stand next to each other in a zone's ring.
func (c *trial) row(n int) (list []*Node) {
	zone := fmt.Sprintf("z%d", 1+c.r.IntN(c.zones))
	start := c.r.IntN(c.hosts)
	for _, ring := range c.Manager.Rings.Rings() {
		if ring.Zone != zone {
			continue
		}
		for i := range n {
			list = append(list, c.Nodes[ring.Members[(start+i)%len(ring.Members)].Host])
		}
	}
	return list
}

func (c *trial) crash(n int) map[string]rings.State {
	want := make(map[string]rings.State)
	for _, node := range c.row(n) {
		node.State = Dead
		want[node.Name] = rings.Crashed
	}
	return want
}

func (c *trial) one(state rings.State, do func(*Node)) map[string]rings.State {
	n := c.host()
	do(n)
	return map[string]rings.State{n.Name: state}
}

// zone is a whole zone, whose hosts have all one state.
func (c *trial) zone(state rings.State, do func(zone string)) map[string]rings.State {
	zone, want := fmt.Sprintf("z%d", 1+c.r.IntN(c.zones)), make(map[string]rings.State)
	do(zone)
	for name, n := range c.Nodes {
		if n.Zone == zone {
			want[name] = state
		}
	}
	return want
}

func (c *trial) withoutManager(n int) map[string]rings.State {
	c.Manager.Up = false
	want := c.crash(n)
	c.Run(time.Duration(10+c.r.IntN(50)) * time.Second)
	c.Manager.Restart()
	return want
}

func faults() []fault {
	return []fault{
		{"crash", func(c *trial) map[string]rings.State { return c.crash(1) }},
		{"adjacent crashes", func(c *trial) map[string]rings.State { return c.crash(2 + c.r.IntN(3)) }},
		{"agent frozen", func(c *trial) map[string]rings.State { return c.one(rings.Hung, func(n *Node) { n.State = Frozen }) }},
		{"agent killed", func(c *trial) map[string]rings.State { return c.one(rings.Ended, func(n *Node) { n.State = Killed }) }},
		{"link down", func(c *trial) map[string]rings.State { return c.one(rings.Crashed, func(n *Node) { n.Link = false }) }},
		{"one way", func(c *trial) map[string]rings.State {
			pair := c.row(2)
			c.OneWay[pair[0].Name+">"+pair[1].Name] = true
			return map[string]rings.State{pair[0].Name: rings.LinkDown}
		}},
		{"deaf", func(c *trial) map[string]rings.State { return c.one(rings.Deaf, func(n *Node) { n.Ears = Deaf }) }},
		{"deaf to datagrams", func(c *trial) map[string]rings.State { return c.one(rings.Deaf, func(n *Node) { n.Ears = Filtered }) }},
		{"switch lost", func(c *trial) map[string]rings.State {
			return c.zone(rings.Unobservable, func(zone string) { c.SwitchDown[zone] = true })
		}},
		{"agent leaves", func(c *trial) map[string]rings.State {
			return c.one(rings.Stopped, func(n *Node) { n.Member.Leave(0, c.now); n.State = Killed })
		}},
		{"host shuts down", func(c *trial) map[string]rings.State {
			return c.one(rings.Shutdown, func(n *Node) { n.Member.Leave(1, c.now); n.State = Dead })
		}},
		{"link down for a moment", func(c *trial) map[string]rings.State {
			n := c.host()
			n.Link = false
			c.Run(2*time.Second + time.Duration(c.r.IntN(14_000))*time.Millisecond)
			n.Link = true
			return nil
		}},
		{"crash without manager", func(c *trial) map[string]rings.State { return c.withoutManager(1 + c.r.IntN(3)) }},
	}
}

// heal undoes everything.
func (c *trial) heal() {
	clear(c.SwitchDown)
	clear(c.Apart)
	clear(c.OneWay)
	c.Loss = 0
	if !c.Manager.Up {
		c.Manager.Restart()
	}
	for _, name := range sortedNames(c.Sim) {
		n := c.Nodes[name]
		n.Link, n.Ears = true, Hears
		switch n.State {
		case Running:
		case Frozen:
			n.Thaw()
		default:
			n.Start()
		}
	}
}

// confusion counts what was said of what happened.
type confusion map[string]map[rings.State]int

func (m confusion) add(fault string, said rings.State) {
	if m[fault] == nil {
		m[fault] = make(map[rings.State]int)
	}
	m[fault][said]++
}

func (m confusion) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "\n%-24s", name)
		for _, s := range slices.Sorted(maps.Keys(m[name])) {
			fmt.Fprintf(&b, " %s: %d", s, m[name][s])
		}
	}
	return b.String()
}

func newTrial(t *testing.T, seed uint64) *trial {
	c := &trial{Sim: New(seed, model.StandardProfile()), r: rand.New(rand.NewPCG(seed, 3))}
	c.zones, c.hosts = 2+c.r.IntN(3), 6+c.r.IntN(10)
	c.Build(c.zones, c.hosts)
	c.Run(20*time.Second + time.Duration(c.r.IntN(4000))*time.Millisecond)
	if len(c.Manager.Verdicts) != 0 {
		t.Errorf("seed %d: verdicts while nothing happened:%s", seed, c.told())
	}
	return c
}

// Faults of all kinds in estates of all sizes: what the manager says in the end, and that
// everything is well again once it has passed.
func TestRandomFaults(t *testing.T) {
	const seeds = 130
	said, wrong := make(confusion), 0
	kinds := faults()
	for seed := range uint64(seeds) {
		c, f := newTrial(t, seed), kinds[seed%uint64(len(kinds))]
		want := f.do(c)
		c.Run(45 * time.Second)
		got := c.states()
		for _, name := range slices.Sorted(maps.Keys(want)) {
			state := got[name]
			if state == "" {
				state = rings.Up
			}
			said.add(f.name, state)
		}
		for name, state := range got {
			if _, expected := want[name]; !expected {
				said.add(f.name+", others", state)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			wrong++
			t.Logf("seed %d, %d zones of %d, %s: states are %v, want %v%s", seed, c.zones, c.hosts, f.name, got, want, c.told())
			continue
		}
		c.heal()
		c.Run(2 * time.Minute)
		if got := c.states(); len(got) != 0 {
			wrong++
			for _, state := range got {
				said.add(f.name+", healed", state)
			}
			t.Logf("seed %d, %d zones of %d, %s: after it was over states are %v%s", seed, c.zones, c.hosts, f.name, got, c.told())
		}
	}
	t.Logf("what was said of what happened:%s", said)
	if wrong > 0 {
		t.Errorf("%d of %d were wrong", wrong, seeds)
	}
}

func sortedNames(s *Sim) []string { return slices.Sorted(maps.Keys(s.Nodes)) }
