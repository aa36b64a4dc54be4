package simulator

import (
	"fmt"
	"testing"
	"time"

	"cassini/manager/rings"
	"cassini/model"
)

// deafened is an estate one of whose hosts hears nothing since a while.
func deafened(t *testing.T, ears Hearing) *Sim {
	t.Helper()
	s := settled(t, 2, 8)
	s.Nodes["z1-h4"].Ears = ears
	s.Run(20 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
	return s
}

// only fails unless there is one incident, of this kind and state.
func (s *Sim) only(t *testing.T, kind model.VerdictKind, state string) {
	t.Helper()
	all := s.book().All()
	if len(all) != 1 || all[0].Kind != kind || all[0].State != state || fmt.Sprint(all[0].Subjects) != "[z1-h4]" {
		t.Errorf("incidents %+v, want one %s %s of z1-h4%s", all, state, kind, s.told())
	}
}

// eachDeafness tries both: where nothing comes in, and where agents' datagrams do not.
func eachDeafness(t *testing.T, do func(t *testing.T, ears Hearing)) {
	for name, ears := range map[string]Hearing{"deaf": Deaf, "filtered": Filtered} {
		t.Run(name, func(t *testing.T) { do(t, ears) })
	}
}

// A host that hears nobody says so: that is one incident, however long it lasts, and nothing
// is said of those that it does not hear.
func TestDeaf(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := settled(t, 2, 8)
		begin := s.Now()
		s.Nodes["z1-h4"].Ears = ears
		s.Run(10 * time.Minute)
		s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
		s.only(t, model.VerdictDeaf, model.IncidentOpen)
		if took := s.when("z1-h4", model.VerdictDeaf, begin); took > 15*time.Second || len(s.Manager.Verdicts) != 1 {
			t.Errorf("the manager knew after %v%s", took, s.told())
		}
		s.Nodes["z1-h4"].Ears = Hears
		s.Run(20 * time.Second)
		s.want(t, map[string]rings.State{})
		s.only(t, model.VerdictDeaf, model.IncidentClosed)
		s.Run(10 * time.Minute)
		s.want(t, map[string]rings.State{})
		s.only(t, model.VerdictDeaf, model.IncidentClosed)
	})
}

// It is watched by its word: when that stops it has a place in its ring again, where its
// neighbors find out that it is dead.
func TestDeafDies(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := deafened(t, ears)
		begin := s.Now()
		s.kill("z1-h4")
		s.Run(4 * time.Minute)
		s.want(t, map[string]rings.State{"z1-h4": rings.Crashed})
		s.only(t, model.VerdictCrashed, model.IncidentOpen)
		t.Log("known after", s.when("z1-h4", model.VerdictCrashed, begin))
		s.Nodes["z1-h4"].Ears = Hears
		s.Nodes["z1-h4"].Start()
		s.Run(20 * time.Second)
		s.want(t, map[string]rings.State{})
		s.only(t, model.VerdictCrashed, model.IncidentClosed)
	})
}

// A kernel that is answered nothing forgets one after the other how others are reached. In
// the end nobody hears the host any more, which does not come and go meanwhile.
func TestDeafFallsSilent(t *testing.T) {
	s := deafened(t, Deaf)
	for _, name := range append(sortedNames(s), model.ManagerHost) {
		s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
		s.OneWay["z1-h4>"+name] = true
		s.Run(2 * time.Second)
	}
	s.Run(4 * time.Minute)
	s.want(t, map[string]rings.State{"z1-h4": rings.Crashed})
	s.only(t, model.VerdictCrashed, model.IncidentOpen)
	before := len(s.Manager.Verdicts)
	s.Run(10 * time.Minute)
	if len(s.Manager.Verdicts) != before {
		t.Errorf("verdicts go on%s", s.told())
	}
	clear(s.OneWay)
	s.Nodes["z1-h4"].Ears = Hears
	s.Run(time.Minute)
	s.want(t, map[string]rings.State{})
}

// One that is heard by the manager alone is taken for dead before it says that it is deaf.
func TestDeafIsTakenForDead(t *testing.T) {
	s := settled(t, 2, 8)
	s.Nodes["z1-h4"].Ears = Deaf
	for _, name := range sortedNames(s) {
		s.OneWay["z1-h4>"+name] = true
	}
	s.Run(8 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Crashed})
	s.Run(10 * time.Minute)
	s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
	clear(s.OneWay)
	s.Nodes["z1-h4"].Ears = Hears
	s.Run(20 * time.Second)
	s.want(t, map[string]rings.State{})
	if open := s.unclosed(); len(open) != 0 {
		t.Error(open)
	}
}

// Its neighbors die, who do not know either that it has no place any more.
func TestDeathBesideTheDeaf(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := deafened(t, ears)
		s.kill("z1-h3", "z1-h5")
		s.Run(15 * time.Second)
		s.want(t, map[string]rings.State{"z1-h3": rings.Crashed, "z1-h4": rings.Deaf, "z1-h5": rings.Crashed})
		s.Run(10 * time.Minute)
		s.want(t, map[string]rings.State{"z1-h3": rings.Crashed, "z1-h4": rings.Deaf, "z1-h5": rings.Crashed})
		s.Nodes["z1-h4"].Ears = Hears
		s.Run(20 * time.Second)
		s.want(t, map[string]rings.State{"z1-h3": rings.Crashed, "z1-h5": rings.Crashed})
	})
}

// Where the manager is away when a host becomes deaf, or begins anew, it knows later.
func TestDeafWithoutManager(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := settled(t, 2, 8)
		s.Manager.Up = false
		s.Nodes["z1-h4"].Ears = ears
		s.Run(5 * time.Minute)
		s.Manager.Restart()
		s.Run(lastDeafWord)
		s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
		s.Manager.Restart()
		s.Run(5 * time.Minute)
		s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
		s.Manager.Up = false
		s.Nodes["z1-h4"].Ears = Hears
		s.Run(time.Minute)
		s.Manager.Restart()
		s.Run(time.Minute)
		s.want(t, map[string]rings.State{})
	})
}

// lastDeafWord is when at the latest a deaf host says again that it is.
const lastDeafWord = 90 * time.Second

// A whole zone that hears nothing, as behind a switch that forwards in one direction alone.
func TestDeafZone(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := settled(t, 3, 6)
		want := make(map[string]rings.State)
		for name, n := range s.Nodes {
			if n.Zone == "z2" {
				n.Ears, want[name] = ears, rings.Deaf
			}
		}
		s.Run(time.Minute)
		s.want(t, want)
		for name := range want {
			s.Nodes[name].Ears = Hears
		}
		s.Run(time.Minute)
		s.want(t, map[string]rings.State{})
		if open := s.unclosed(); len(open) != 0 {
			t.Error(open)
		}
	})
}

// An agent that begins on a deaf host: it reaches the manager, and hears nobody.
func TestDeafFromTheStart(t *testing.T) {
	s := deafened(t, Filtered)
	n := s.Nodes["z1-h4"]
	n.State = Killed
	s.Run(4 * time.Minute)
	s.want(t, map[string]rings.State{"z1-h4": rings.Hung}) // nor is heard that nothing listens
	n.Start()
	s.Run(20 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Deaf})
	n.Member.Leave(0, s.now)
	n.State = Killed
	s.Run(20 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Stopped})
}

// Of two alone each is the other's only neighbor.
func TestDeafOfTwo(t *testing.T) {
	eachDeafness(t, func(t *testing.T, ears Hearing) {
		s := settled(t, 1, 2)
		s.Nodes["z1-h2"].Ears = ears
		s.Run(20 * time.Second)
		s.want(t, map[string]rings.State{"z1-h2": rings.Deaf})
		s.Nodes["z1-h2"].Ears = Hears
		s.Run(20 * time.Second)
		s.want(t, map[string]rings.State{})
	})
}
