package member

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// chaos is a member to which anything happens.
type chaos struct {
	*bench
	r     *rand.Rand
	epoch model.Epoch
	dead  map[string]model.Incarnation // a death was reported of
	read  int
}

func (c *chaos) who() model.RingMember {
	m := someone(fmt.Sprint("h", c.r.IntN(12)), byte(c.r.IntN(12)))
	switch c.r.IntN(20) {
	case 0:
		m = self()
	case 1:
		m = model.RingMember{}
	}
	m.Incarnation = model.Incarnation(c.r.IntN(8))
	return m
}

func (c *chaos) ring() model.RingID {
	return []model.RingID{testRing, "top/1", "other", model.ManagerRing("me"), "never"}[c.r.IntN(5)]
}

func (c *chaos) assignment() *model.Assignment {
	if c.r.IntN(30) == 0 {
		return nil
	}
	c.epoch++
	a := &model.Assignment{
		Ring: c.ring(), Epoch: c.epoch - model.Epoch(c.r.IntN(3)), Gone: c.r.IntN(5) == 0, Profile: model.StandardProfile(),
		Next: model.RingNeighbor{RingMember: c.who(), Beyond: c.who()}, Previous: model.RingNeighbor{RingMember: c.who(), Beyond: c.who()},
	}
	for range c.r.IntN(5) {
		a.Successors, a.Relays = append(a.Successors, c.who()), append(a.Relays, c.who())
	}
	if c.r.IntN(10) == 0 {
		a.Profile.Window = time.Duration(c.r.IntN(20) - 10)
	}
	return a
}

func (c *chaos) message() wire.Message {
	m := wire.Message{
		Type: wire.Type(c.r.IntN(20)), ID: c.id(), Subject: c.who(), Score: uint8(c.r.Uint32()), Reason: uint8(c.r.IntN(3)),
		Epoch: model.Epoch(c.r.IntN(10)), Sight: []model.Sight{"", "agent", "refused", "kernel", "left", "nothing", "unable", "pending"}[c.r.IntN(8)],
	}
	if c.r.IntN(3) > 0 {
		id := model.ReportID{Reporter: c.who().Host, Incarnation: 5, Sequence: c.r.Uint64N(100)}
		m.Assignment, m.Report, m.Verdict = c.assignment(), &id, &model.Verdict{ID: id, Ring: c.ring()}
	}
	return m
}

// id is one that was sent of late, or another.
func (c *chaos) id() uint64 {
	if len(c.sent) == 0 || c.r.IntN(4) == 0 {
		return c.r.Uint64N(3)
	}
	return c.sent[max(0, len(c.sent)-1-c.r.IntN(20))].ID
}

func (c *chaos) step() {
	if c.r.IntN(3) > 0 {
		c.now = c.now.Add(time.Duration(c.r.Int64N(int64(300 * time.Millisecond))))
	}
	if c.r.IntN(200) == 0 {
		c.now = c.now.Add(time.Duration(c.r.Int64N(int64(time.Hour))))
	}
	if c.r.IntN(50) == 0 {
		c.fakeWorld.doubts = [][]string{nil, {"late"}}[c.r.IntN(2)]
	}
	switch c.r.IntN(12) {
	case 0:
		c.Silent(c.ring(), c.who().Host, time.Duration(c.r.Int64N(int64(time.Minute))), c.now)
	case 1:
		m := c.who()
		c.Resumed(c.ring(), m.Host, m.Incarnation, c.now)
	case 2:
		c.Refused(c.who().Addr, c.now)
	case 3:
		c.Echoed(c.who().Addr.Addr(), c.now)
	case 4:
		c.Receive(c.ring(), model.RingMember{Host: model.ManagerHost}, c.message(), c.now)
	case 5:
		if c.r.IntN(10) == 0 {
			c.assigned(c.assignment())
		}
	case 6, 7:
		c.Tick(c.now)
		if next := c.Next(); !next.IsZero() && !next.After(c.now) {
			c.t.Fatalf("after a tick at %v the next is due at %v", c.now, next)
		}
	default:
		c.Receive(c.ring(), c.who(), c.message(), c.now)
	}
	c.check()
}

// assigned forgets what was said of those whom a new place names, or does not name any
// more: the manager has said that they live, or that they are others' business.
func (c *chaos) assigned(a *model.Assignment) {
	c.Assign(a, c.now)
	clear(c.dead)
}

func (c *chaos) check() {
	c.t.Helper()
	if len(c.inquiries) > maxInquiries || len(c.handed) > maxHanded || len(c.kept) > maxKept || len(c.gone) > maxGone {
		c.t.Fatalf("%d inquiries, %d handed, %d kept, %d gone", len(c.inquiries), len(c.handed), len(c.kept), len(c.gone))
	}
	links := 0
	for id, r := range c.rings {
		links += len(r.links)
		if len(r.links) != len(c.watches[id]) || len(r.links) > 2+maxBridges {
			c.t.Fatalf("%s has links %v and watches %v", id, r.links, c.watches[id])
		}
	}
	if most := links + len(c.rings)*(model.MaxSuccessors+1); len(c.cases) > most || len(c.standing) > most {
		c.t.Fatalf("%d cases, %d verdicts of %d links", len(c.cases), len(c.standing), links)
	}
	for host, s := range c.cases {
		if !c.alive(s.ring) || len(s.askers) > maxAskers || len(s.opinions) > 16 {
			c.t.Fatalf("case of %s in %s: %+v", host, s.ring.id, s)
		}
	}
	for host, s := range c.standing {
		if !c.alive(s.ring) {
			c.t.Fatalf("verdict on %s in %s, which is no more", host, s.ring.id)
		}
	}
	for ; c.read < len(c.reports); c.read++ {
		c.reported(c.reports[c.read])
	}
}

// reported checks that no life dies twice unless it was corrected.
func (c *chaos) reported(v model.Verdict) {
	life := v.Subject.Incarnation
	switch {
	case v.Kind == model.VerdictCorrected:
		delete(c.dead, v.Subject.Host)
	case !v.Kind.Death():
	case c.dead[v.Subject.Host] > life+1, c.dead[v.Subject.Host] == life+1:
		c.t.Fatalf("%s dies twice in life %d: %+v", v.Subject.Host, life, c.reports)
	default:
		c.dead[v.Subject.Host] = life + 1
	}
}

// Whatever comes in whatever order at whatever time: no panic, nothing grows, no busy
// loop, and nobody dies twice.
func TestAnything(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { tryAnything(t, seed, 3000) })
	}
}

func tryAnything(t *testing.T, seed uint64, steps int) {
	c := &chaos{bench: placed(t), r: rand.New(rand.NewPCG(seed, 7)), epoch: 10, dead: make(map[string]model.Incarnation)}
	for range steps {
		c.step()
		if len(c.sent) > 1000 {
			c.sent = c.sent[500:]
		}
	}
	c.Leave(wire.LeaveStopped, c.now)
	c.Tick(c.now)
	c.check()
}

func FuzzAnything(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { tryAnything(t, seed, 200) })
}
