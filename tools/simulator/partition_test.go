package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// book holds the incidents that the verdicts so far make.
func (s *Sim) book() *incidents.Book {
	var book incidents.Book
	for _, k := range s.Manager.Verdicts {
		book.Apply(k.Verdict, k.At)
	}
	return &book
}

// unclosed are the incidents that are open and the hosts that something is said of, as the
// manager's book has it.
func (s *Sim) unclosed() (list []string) {
	book := s.book()
	for _, i := range book.All() {
		if i.State == model.IncidentOpen {
			list = append(list, i.Summary)
		}
	}
	for _, host := range sortedNames(s) {
		if status, ok := book.Status(host); ok {
			list = append(list, fmt.Sprintf("%s is %s", host, status.Kind))
		}
	}
	return list
}

// A zone is cut off from the others and from the manager, and its way comes back; verdicts
// of that time arrive late. Afterwards nothing is left that anybody said of the living, and
// all have their places.
func TestPartitionPasses(t *testing.T) {
	for seed := range 200 * *times {
		r := rand.New(rand.NewPCG(seed, 11))
		s := New(seed, model.StandardProfile())
		s.Slow = time.Duration(r.IntN(20_000)) * time.Millisecond
		s.Build(2+r.IntN(3), 1+r.IntN(6))
		s.Run(20 * time.Second)
		for range 1 + r.IntN(2) {
			s.Apart["z2"] = true
			s.Run(time.Duration(2000+r.IntN(28_000)) * time.Millisecond)
			delete(s.Apart, "z2")
			s.Run(time.Duration(r.IntN(60_000)) * time.Millisecond)
		}
		s.Run(3 * time.Minute)
		if torn, states, open := s.torn(), s.states(), s.unclosed(); len(torn)+len(states)+len(open) != 0 {
			t.Errorf("seed %d: %v, states %v, incidents %q", seed, torn, states, open)
			if testing.Verbose() {
				t.Log(s.told())
			}
		}
	}
}

// A host dies beside a zone that is cut off, and may be told of by that zone alone, when its way is back: it
// is told as crashed, whatever else that zone took for silent.
func TestDeathBesidePartition(t *testing.T) {
	for seed := uint64(750); seed < 750+200**times; seed++ {
		r := rand.New(rand.NewPCG(seed, 12))
		s := New(seed, model.StandardProfile())
		s.Slow = time.Duration(r.IntN(20_000)) * time.Millisecond
		s.Build(2+r.IntN(3), 1+r.IntN(6))
		s.Run(20 * time.Second)
		s.Apart["z2"] = true
		s.Run(time.Duration(r.IntN(20_000)) * time.Millisecond)
		beside := slices.DeleteFunc(sortedNames(s), func(name string) bool { return s.Nodes[name].Zone == "z2" })
		dead := beside[r.IntN(len(beside))]
		s.Nodes[dead].State = Dead
		s.Run(time.Duration(r.IntN(20_000)) * time.Millisecond)
		delete(s.Apart, "z2")
		s.Run(3 * time.Minute)
		if status, told := s.book().Status(dead); !told || status.Kind != model.VerdictCrashed {
			t.Errorf("seed %d: of %s it is told %t, %q", seed, dead, told, status.Kind)
			if testing.Verbose() {
				t.Log(s.told())
			}
		}
	}
}
