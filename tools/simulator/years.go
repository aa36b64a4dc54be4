package simulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"cassini/model"
)

// Years is what came of many host-years at a loss, in which nobody dies.
type Years struct {
	HostYears   float64
	Suspicions  uint64 // silences of a neighbor
	Verdicts    map[model.VerdictKind]uint64
	FalseDeaths uint64
}

// UpperBound of false deaths a host-year, at a confidence of 95%: exact for none (the
// rule of three), an approximation by a normal distribution beyond.
func (y Years) UpperBound() float64 {
	if y.FalseDeaths == 0 {
		return -math.Log(0.05) / y.HostYears
	}
	n := float64(y.FalseDeaths)
	return (n + 1.645*math.Sqrt(n)) / y.HostYears
}

// RunYears lets hosts watch each other at an even loss of each datagram. What heartbeats
// do is drawn link by link, for all years; each silence then opens a case among
// simulated members, whose every datagram can be lost.
func RunYears(seed uint64, hostYears, loss float64) Years {
	s := New(seed, model.StandardProfile())
	s.Build(1, 40)
	s.Run(20 * time.Second)
	s.Loss, s.Lazy = loss, true
	y := Years{HostYears: hostYears, Verdicts: make(map[model.VerdictKind]uint64)}
	links := hostYears * 2 // each host watches two
	perLink := 365.25 * 24 * 3600 * float64(time.Second)
	d := newDraw(seed, loss, s.Profile)
	for left := links * perLink; left > 0; {
		wait, resumed := d.silence()
		if left -= float64(wait); left <= 0 {
			break
		}
		y.Suspicions++
		s.open(resumed)
	}
	s.Run(30 * time.Second)
	for _, k := range s.Manager.Verdicts {
		y.Verdicts[k.Kind]++
		if k.Kind.Death() {
			y.FalseDeaths++
		}
	}
	return y
}

// open lets a random host miss the heartbeats of a neighbor, until they are back.
func (s *Sim) open(resumed time.Duration) {
	n := s.Nodes[fmt.Sprintf("z1-h%d", 1+s.Rand.IntN(len(s.Nodes)))]
	a := n.Member.Assignments()[0] // it is on one ring
	peer := a.Next.Host
	if s.Rand.IntN(2) == 0 {
		peer = a.Previous.Host
	}
	n.do(func() { n.Member.Silent(a.Ring, peer, s.Profile.Silence, s.now) })
	s.after(resumed, func() {
		n.do(func() { n.Member.Resumed(a.Ring, peer, s.Nodes[peer].life, s.now) })
	})
	// The next one is opened while this one may still go on, as in a large estate.
	s.Run(time.Duration(s.Rand.Int64N(int64(250 * time.Millisecond))))
}

// draw draws when the heartbeats of one link leave a silence that opens a case.
type draw struct {
	rand *rand.Rand
	loss float64
	log  float64
	p    model.Profile
}

func newDraw(seed uint64, loss float64, p model.Profile) *draw {
	return &draw{rand: rand.New(rand.NewPCG(seed, 77)), loss: loss, log: math.Log1p(-loss), p: p}
}

// gap is the time between two heartbeats: with a quarter of jitter.
func (d *draw) gap() time.Duration {
	return d.p.Interval*3/4 + time.Duration(d.rand.Int64N(int64(d.p.Interval/2)+1))
}

// silence is after how long the next silence of a link opens a case, and after how much
// more a heartbeat comes.
func (d *draw) silence() (wait, resumed time.Duration) {
	for {
		// Heartbeats that come, up to the next one that is lost.
		come := time.Duration(math.Log(1-d.rand.Float64()) / d.log)
		wait += come * d.p.Interval
		silent := d.gap() // the one that is lost
		for d.rand.Float64() < d.loss {
			silent += d.gap()
		}
		silent += d.gap() // the one that comes
		if silent > d.p.Silence {
			return wait + d.p.Silence, silent - d.p.Silence
		}
		wait += silent
	}
}
