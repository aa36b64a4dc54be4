package simulator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/manager/rings"
	"cassini/model"
)

// settled is an estate whose rings are whole.
func settled(t *testing.T, zones, hosts int) *Sim {
	t.Helper()
	s := New(1, model.StandardProfile())
	s.Build(zones, hosts)
	s.Run(20 * time.Second)
	if n := len(s.Manager.Verdicts); n != 0 {
		t.Fatalf("%d verdicts while nothing happened: %v", n, s.told())
	}
	if n := s.Manager.Rings.Pending(); n != 0 {
		t.Fatalf("%d places were not acknowledged", n)
	}
	return s
}

// told are the verdicts so far, one a line.
func (s *Sim) told() string {
	var b strings.Builder
	for _, k := range s.Manager.Verdicts {
		fmt.Fprintf(&b, "\n%6.2f %-12s %s of %s", k.At.Sub(time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)).Seconds(), k.ID.Reporter, k.Kind, k.Subject.Host)
		if k.Was != "" || k.Became != "" {
			fmt.Fprintf(&b, " was %s became %s", k.Was, k.Became)
		}
		for _, o := range k.Evidence.Observations {
			fmt.Fprintf(&b, " %s:%s", o.Observer, o.Sight)
		}
		fmt.Fprintf(&b, " %v %s", k.Evidence.Doubts, k.Evidence.Clue)
	}
	return b.String()
}

// states are the hosts that are not up, as the manager has it.
func (s *Sim) states() map[string]rings.State {
	list := make(map[string]rings.State)
	for _, h := range s.Manager.Rings.Hosts() {
		if h.State != rings.Up {
			list[h.Host] = h.State
		}
	}
	return list
}

func (s *Sim) want(t *testing.T, want map[string]rings.State) {
	t.Helper()
	got := s.states()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("states are %v, want %v%s", got, want, s.told())
	}
}

// when is after what time the manager knew a verdict.
func (s *Sim) when(host string, kind model.VerdictKind, since time.Time) time.Duration {
	for _, k := range s.Manager.Verdicts {
		if k.Subject.Host == host && k.Kind == kind {
			return k.At.Sub(since)
		}
	}
	return -1
}

func (s *Sim) kill(names ...string) {
	for _, name := range names {
		s.Nodes[name].State = Dead
	}
}

func TestCrash(t *testing.T) {
	s := settled(t, 1, 10)
	begin := s.Now()
	s.kill("z1-h4")
	s.Run(10 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Crashed})
	if took := s.when("z1-h4", model.VerdictCrashed, begin); took > 5*time.Second {
		t.Errorf("the manager knew after %v", took)
	}
	before := len(s.Manager.Verdicts)
	s.Run(time.Minute)
	if len(s.Manager.Verdicts) != before {
		t.Errorf("verdicts go on: %s", s.told())
	}
	s.Nodes["z1-h4"].Start()
	s.Run(20 * time.Second)
	s.want(t, map[string]rings.State{})
}

func TestAdjacentDeaths(t *testing.T) {
	for n := 2; n <= 4; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := settled(t, 2, 12)
			begin := s.Now()
			want := make(map[string]rings.State)
			for i := range n {
				name := fmt.Sprintf("z1-h%d", 4+i)
				s.kill(name)
				want[name] = rings.Crashed
			}
			s.Run(12 * time.Second)
			s.want(t, want)
			for name := range want {
				t.Log(name, s.when(name, model.VerdictCrashed, begin))
			}
		})
	}
}

func TestAdjacentDeathsWithoutManager(t *testing.T) {
	s := settled(t, 2, 12)
	s.Manager.Up = false
	s.kill("z1-h4", "z1-h5", "z1-h6")
	s.Run(30 * time.Second)
	if s.Nodes["z1-h3"].Member.Stats().Bridges != 1 {
		t.Errorf("the gap is not bridged: %+v", s.Nodes["z1-h3"].Member.Stats())
	}
	s.kill("z1-h7") // at the other end of the bridge
	s.Run(30 * time.Second)
	s.Manager.Restart()
	s.Run(90 * time.Second)
	s.want(t, map[string]rings.State{"z1-h4": rings.Crashed, "z1-h5": rings.Crashed, "z1-h6": rings.Crashed, "z1-h7": rings.Crashed})
}

func TestConditions(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*Sim, *Node)
		want rings.State
		undo func(*Sim, *Node)
	}{
		"agent killed": {func(_ *Sim, n *Node) { n.State = Killed }, rings.Ended, func(_ *Sim, n *Node) { n.Start() }},
		"agent frozen": {func(_ *Sim, n *Node) { n.State = Frozen }, rings.Hung, func(_ *Sim, n *Node) { n.Thaw() }},
		"link down":    {func(_ *Sim, n *Node) { n.Link = false }, rings.Crashed, func(_ *Sim, n *Node) { n.Link = true }},
		"one way": {
			func(s *Sim, _ *Node) { s.OneWay["z1-h4>z1-h3"] = true }, rings.LinkDown,
			func(s *Sim, _ *Node) { s.OneWay = map[string]bool{} },
		},
		"stopped":   {func(s *Sim, n *Node) { n.Member.Leave(0, s.now); n.State = Killed }, rings.Stopped, func(_ *Sim, n *Node) { n.Start() }},
		"shut down": {func(s *Sim, n *Node) { n.Member.Leave(1, s.now); n.State = Dead }, rings.Shutdown, func(_ *Sim, n *Node) { n.Start() }},
	} {
		t.Run(name, func(t *testing.T) {
			s := settled(t, 2, 8)
			n := s.Nodes["z1-h4"]
			c.do(s, n)
			s.Run(20 * time.Second)
			s.want(t, map[string]rings.State{"z1-h4": c.want})
			c.undo(s, n)
			s.Run(100 * time.Second)
			s.want(t, map[string]rings.State{})
		})
	}
}

func TestSwitchLost(t *testing.T) {
	s := settled(t, 3, 8)
	s.SwitchDown["z2"] = true
	s.Run(20 * time.Second)
	for _, h := range s.Manager.Rings.Hosts() {
		if want := map[bool]rings.State{true: rings.Unobservable, false: rings.Up}[h.Zone == "z2"]; h.State != want {
			t.Errorf("%s is %s, want %s", h.Host, h.State, want)
		}
	}
	if s.when("z2", model.VerdictSegment, s.Now()) == -1 {
		t.Errorf("the segment was not declared lost")
	}
	delete(s.SwitchDown, "z2")
	s.Run(100 * time.Second)
	s.want(t, map[string]rings.State{})
	if t.Failed() {
		t.Log(s.told())
	}
}

// noDeath fails for deaths of the living. Where hosts lose twenty datagrams in a row, now
// and then, there may be one, which has to be corrected.
func (s *Sim) noDeath(t *testing.T, none bool) {
	t.Helper()
	deaths := 0
	for _, k := range s.Manager.Verdicts {
		if k.Kind.Death() {
			deaths++
		}
	}
	if deaths > 2 || none && deaths > 0 {
		t.Errorf("%d deaths of the living: %s", deaths, s.told())
	}
	s.Loss = 0
	s.Run(2 * time.Minute)
	for host, state := range s.states() {
		t.Errorf("without losses %s is %s", host, state)
	}
}

func TestLoss(t *testing.T) {
	for _, c := range []struct{ loss, burst float64 }{{0.05, 1}, {0.2, 1}, {0.05, 4}, {0.2, 4}} {
		t.Run(fmt.Sprint(c.loss, c.burst), func(t *testing.T) {
			s := settled(t, 2, 20)
			s.Loss, s.Burst = c.loss, c.burst
			sent := s.Sent()
			s.Run(10 * time.Minute)
			perHost := float64(s.Sent()-sent) / 600 / 40
			t.Logf("%.2f datagrams a second and host; %d verdicts; %v", perHost, len(s.Manager.Verdicts), s.Types)
			kinds := make(map[model.VerdictKind]int)
			for _, k := range s.Manager.Verdicts {
				kinds[k.Kind]++
			}
			t.Log(kinds)
			s.noDeath(t, c.loss*c.burst < 0.8)
		})
	}
}
