package simulator

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cassini/model"
)

// torn is how what members believe of their places differs from what the manager does.
func (s *Sim) torn() (list []string) {
	places := make(map[string]map[model.RingID]*model.Assignment)
	for name, n := range s.Nodes {
		places[name] = make(map[model.RingID]*model.Assignment)
		for _, a := range n.Member.Assignments() {
			places[name][a.Ring] = a
		}
	}
	for _, ring := range s.Manager.Rings.Rings() {
		for i, m := range ring.Members {
			a, next := places[m.Host][ring.ID], ring.Members[(i+1)%len(ring.Members)]
			delete(places[m.Host], ring.ID)
			switch {
			case a == nil:
				list = append(list, fmt.Sprintf("%s has no place in %s", m.Host, ring.ID))
			case len(ring.Members) > 1 && (a.Next.Host != next.Host || a.Next.Incarnation != next.Incarnation):
				list = append(list, fmt.Sprintf("%s watches %s/%d in %s/%d, not %s/%d of %d", m.Host, a.Next.Host, a.Next.Incarnation, a.Ring, a.Epoch, next.Host, next.Incarnation, ring.Epoch))
			}
		}
	}
	for host, rest := range places {
		for id, a := range rest {
			list = append(list, fmt.Sprintf("%s goes on in %s/%d", host, id, a.Epoch))
		}
	}
	return list
}

// Hosts of small zones leave and return, so that rings end and are made anew under their
// old names: in the end all members have the places that the manager means.
func TestRingsEndAndBeginAnew(t *testing.T) {
	for seed := range uint64(40) {
		s, r := New(seed, model.StandardProfile()), rand.New(rand.NewPCG(seed, 9))
		s.Build(2+r.IntN(2), 1+r.IntN(3))
		s.Run(20 * time.Second)
		for range 6 {
			zone := fmt.Sprintf("z%d", 1+r.IntN(2))
			for _, name := range sortedNames(s) {
				if n := s.Nodes[name]; n.Zone == zone && r.IntN(4) > 0 {
					n.Member.Leave(0, s.now)
					n.State = Killed
				}
			}
			s.Run(time.Duration(r.IntN(40)) * time.Second)
			for _, name := range sortedNames(s) {
				if s.Nodes[name].State != Running {
					s.Nodes[name].Start()
				}
			}
			s.Run(time.Duration(r.IntN(40)) * time.Second)
		}
		s.Run(2 * time.Minute)
		if torn, states := s.torn(), s.states(); len(torn)+len(states) != 0 {
			t.Errorf("seed %d: %v, states %v", seed, torn, states)
		}
	}
}
