package simulator

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// jam takes the CPU from agents for moments, again and again, as other work on a host does.
func (c *trial) jam(longest time.Duration) {
	for _, name := range sortedNames(c.Sim) {
		c.jamOne(c.Nodes[name], longest)
	}
}

func (c *trial) jamOne(n *Node, longest time.Duration) {
	c.after(time.Duration(c.r.IntN(4000))*time.Millisecond, func() {
		if n.State == Running {
			n.State = Frozen
			c.after(time.Duration(c.r.Int64N(int64(longest))), func() {
				if n.State == Frozen {
					n.Thaw()
				}
			})
		}
		c.jamOne(n, longest)
	})
}

// moments lets something happen to one host for some time, while all agents get their CPU late now
// and then, and looks at what is left and was said in the end.
func moments(t *testing.T, happen, over func(*Node), wrong func([]model.Incident) bool) {
	for seed := range 60 * *times {
		c := &trial{Sim: New(seed, model.StandardProfile()), r: rand.New(rand.NewPCG(seed, 29))}
		c.Slow = []time.Duration{0, 3 * time.Second, 20 * time.Second}[c.r.IntN(3)]
		c.Build(1+c.r.IntN(2), 5)
		c.Run(time.Duration(20_000+c.r.IntN(3000)) * time.Millisecond)
		c.jam([]time.Duration{time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}[c.r.IntN(3)])
		happen(c.Nodes["z1-h2"])
		// Before a case is decided, about when the manager knows, and as long as it asks now and then.
		between := [][2]int{{2500, 5000}, {9000, 11_500}, {0, 130_000}}[c.r.IntN(3)]
		long := time.Duration(between[0]+c.r.IntN(between[1]-between[0])) * time.Millisecond
		c.Run(long)
		over(c.Nodes["z1-h2"])
		c.Run(3 * time.Minute)
		torn, states, open := c.torn(), c.states(), c.unclosed()
		if all := c.book().All(); len(torn)+len(states)+len(open) != 0 || ofOthers(all, "z1-h2") || wrong(all) {
			t.Errorf("seed %d, for %v: %v, states %v, open %q, %d incidents%s", seed, long, torn, states, open, len(all), c.told())
		}
	}
}

// A host that is deaf for a moment or longer is one incident at most, and nothing is said of others.
func TestDeafForAMoment(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		moments(t, func(n *Node) { n.Ears = ears }, func(n *Node) { n.Ears = Hears }, func(all []model.Incident) bool {
			return len(all) > 1 || len(all) == 1 && all[0].Kind.Death()
		})
	})
}

// One whose link is down may be taken for dead, and says nothing of others either.
func TestLinkDownForAMoment(t *testing.T) {
	moments(t, func(n *Node) { n.Link = false }, func(n *Node) { n.Link = true }, func([]model.Incident) bool { return false })
}

// ofOthers says whether there are incidents of others than one host.
func ofOthers(all []model.Incident, host string) bool {
	return slices.ContainsFunc(all, func(i model.Incident) bool { return !slices.Equal(i.Subjects, []string{host}) })
}
