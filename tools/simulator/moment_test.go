package simulator

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cassini/manager/incidents"
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

// A host is deaf for a moment or longer, and all agents get their CPU late now and then. Nothing
// is said of any other host, and all that is said is over and one incident in the end.
func TestDeafForAMoment(t *testing.T) {
	for seed := range 150 * *times {
		c := &trial{Sim: New(seed, model.StandardProfile()), r: rand.New(rand.NewPCG(seed, 29))}
		c.Slow = []time.Duration{0, 3 * time.Second, 20 * time.Second}[c.r.IntN(3)]
		c.Build(1+c.r.IntN(2), 5)
		c.Run(time.Duration(20_000+c.r.IntN(3000)) * time.Millisecond)
		c.jam([]time.Duration{time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}[c.r.IntN(3)])
		n := c.Nodes["z1-h2"]
		n.Ears = []Hearing{Deaf, Filtered}[c.r.IntN(2)]
		// Before a case is decided, about when the manager knows, and as long as it asks now and then.
		between := [][2]int{{2500, 5000}, {9000, 11_500}, {0, 130_000}}[c.r.IntN(3)]
		long := time.Duration(between[0]+c.r.IntN(between[1]-between[0])) * time.Millisecond
		c.Run(long)
		n.Ears = Hears
		c.Run(3 * time.Minute)
		if torn, states, told := c.torn(), c.states(), c.others("z1-h2"); len(torn)+len(states)+len(told) != 0 {
			t.Errorf("seed %d, deaf for %v: %v, states %v, incidents %q%s", seed, long, torn, states, told, c.told())
		}
	}
}

// others are incidents that are not what one host's deafness may bring: one, of it, that is over.
func (s *Sim) others(host string) (list []string) {
	var book incidents.Book
	for _, k := range s.Manager.Verdicts {
		book.Apply(k.Verdict, k.At)
	}
	for n, i := range book.All() {
		if n > 0 || fmt.Sprint(i.Subjects) != fmt.Sprint([]string{host}) || i.State != model.IncidentClosed || i.Kind.Death() {
			list = append(list, fmt.Sprintf("%s %s %v", i.State, i.Kind, i.Subjects))
		}
	}
	return list
}
