package simulator

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"cassini/model"
)

// times is how many times as many seeds are tried as usual: with -times 15 they are those
// that decision 0012 speaks of.
var times = flag.Uint64("times", 1, "try so many `times` as many seeds")

// ail lets something happen to an estate, beside what happens already.
func (c *trial) ail(kinds int) {
	switch c.r.IntN(kinds) {
	case 0:
		c.host().State = Dead
	case 1:
		c.host().State = Killed
	case 2:
		if n := c.host(); n.State == Running {
			n.State = Frozen
		}
	case 3:
		c.host().Link = false
	case 4:
		a, b := c.host(), c.host()
		c.OneWay[a.Name+">"+b.Name] = true
	case 5:
		c.SwitchDown[c.host().Zone] = true
	case 6:
		c.Apart[c.host().Zone] = true
	case 7:
		c.Loss = 0.2 * c.r.Float64()
	case 8:
		c.Manager.Up = !c.Manager.Up
		if c.Manager.Up {
			c.Manager.Restart()
		}
	case 9:
		c.host().Ears = Deaf
	case 10:
		c.host().Ears = Filtered
	}
}

// Several faults at a time, in any order, some of which end before all do. Afterwards
// nothing is left that anybody said, and all have their places.
func TestChaosPasses(t *testing.T) {
	for name, kinds := range map[string]int{"all hear": 9, "some are deaf": 11} {
		t.Run(name, func(t *testing.T) {
			for seed := range 80 * *times {
				chaos(t, seed, kinds)
			}
		})
	}
}

func chaos(t *testing.T, seed uint64, kinds int) {
	c := &trial{Sim: New(seed, model.StandardProfile()), r: rand.New(rand.NewPCG(seed, 17))}
	c.Slow = time.Duration(c.r.IntN(20_000)) * time.Millisecond
	c.zones, c.hosts = 2+c.r.IntN(3), 1+c.r.IntN(6)
	c.Build(c.zones, c.hosts)
	c.Run(20 * time.Second)
	for range 1 + c.r.IntN(3) {
		for range 1 + c.r.IntN(4) {
			c.ail(kinds)
			c.Run(time.Duration(c.r.IntN(20_000)) * time.Millisecond)
		}
		c.heal()
		c.Run(time.Duration(c.r.IntN(60_000)) * time.Millisecond)
	}
	c.Run(4 * time.Minute)
	if torn, states, open := c.torn(), c.states(), c.unclosed(); len(torn)+len(states)+len(open) != 0 {
		t.Errorf("seed %d: %v, states %v, incidents %q", seed, torn, states, open)
		if testing.Verbose() {
			t.Log(c.told())
		}
	}
}
