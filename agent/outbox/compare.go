package outbox

import (
	"context"
	"math/rand/v2"
	"time"

	"cassini/model"
)

// When agent and manager compare what they have.
const (
	rarely      = 24 * time.Hour // at the latest, with a delivery that is made anyway
	again       = time.Minute    // after a comparison that could not be finished
	givenUp     = time.Hour      // after rounds that did not help
	maxRounds   = 3              // of sending what is missing, one after the other
	doubtSpread = time.Minute
)

// comparing is where an outbox stands with comparing. The manager compares by itself the first
// time that a host delivers in a run of the manager, and behind each gap; all other
// times are the agent's.
type comparing struct {
	doubt   bool      // something may be missing: ask, if need be with a delivery of no documents
	doubted uint64    // how often that was said
	asked   uint64    // doubted, when the last Check was made
	from    time.Time // not before
	differs bool      // the manager has other documents
	rounds  int       // that were sent without agreeing
	rare    time.Time // when to ask without a doubt

	compared, differed uint64
	missing, changed   uint64
	withdrawn, unkept  uint64
}

// Learn tells what the manager remembers of the host, once it is known: from then on there
// is something to compare. What was put before stands. It returns what the manager will
// remember once it has that too.
func (o *Outbox) Learn(remembered []model.Document) []model.Document {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.comparing.rare = rareFrom(time.Now())
	return o.ledger.learn(remembered)
}

// Doubt says that the manager may have lost documents: within Config.Spread it is asked to
// compare, whether there is something to deliver or not.
func (o *Outbox) Doubt() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.comparing.doubts(time.Now().Add(rand.N(o.cfg.Spread)))
	signal(o.wake)
}

func (c *comparing) doubts(from time.Time) {
	if !c.doubt && from.After(c.from) {
		c.from = from
	}
	c.doubt = true
	c.doubted++
}

func rareFrom(now time.Time) time.Time { return now.Add(rarely/2 + rand.N(rarely)) }

// check is what goes with a batch that leaves nothing behind it in the outbox. Called with mu
// held.
func (o *Outbox) check() *model.Check {
	if !o.ledger.comparable() {
		return nil
	}
	now := time.Now()
	o.comparing.asked = o.comparing.doubted
	wanted := o.comparing.doubt && !now.Before(o.comparing.from) || now.After(o.comparing.rare)
	return &model.Check{Rule: model.CompareRule, Digest: o.ledger.digest, Wanted: wanted}
}

// inquiry is a batch without documents, for a doubt that has waited long enough, and how long
// it has to wait else; zero: there is none. Called with mu held.
func (o *Outbox) inquiry() (b model.Batch, wait time.Duration) {
	if !o.comparing.doubt || !o.ledger.comparable() || o.ledger.host == "" {
		return b, 0
	}
	if wait = time.Until(o.comparing.from); wait > 0 {
		return b, wait
	}
	b = model.Batch{Host: o.ledger.host, First: o.numbers.last.Plus(1), Check: o.check()}
	o.comparing.from = time.Now().Add(again) // whatever comes of it
	return b, 0
}

// judge draws the consequences of a receipt. Called with mu held.
func (o *Outbox) judge(b model.Batch, r model.Receipt) {
	c := &o.comparing
	now := time.Now()
	switch {
	case r.Compared && r.Differs:
		c.compared++
		c.differed++
		c.differs = true
	case r.Compared:
		c.compared++
		c.doubt = c.doubted != c.asked // there is another one
		c.rounds, c.rare = 0, rareFrom(now)
	case b.Check != nil && b.Check.Wanted: // a manager of before, that compares nothing
		c.doubt, c.rare = false, rareFrom(now)
	case r.Gap:
		c.doubts(now)
	}
}

// repair asks what the manager has, and sends what differs. It holds up no delivery: where
// it fails, the comparison is made again.
func (o *Outbox) repair(ctx context.Context) {
	o.mu.Lock()
	host := o.ledger.host
	o.mu.Unlock()
	theirs, err := o.cfg.Sink.Hashes(ctx, host)
	o.mu.Lock()
	defer o.mu.Unlock()
	c := &o.comparing
	c.differs = false
	if !o.ledger.comparable() {
		return
	}
	now := time.Now()
	if err != nil {
		c.from = now.Add(again/2 + rand.N(again))
		c.doubts(now)
		o.cfg.Logger.Warn("the manager has other documents of this host than the agent, and cannot be asked which; asking again", "error", err)
		return
	}
	d := o.ledger.against(theirs, max(o.cfg.Limit-len(o.queue)-o.spooled, 0), now)
	c.missing += uint64(d.missing)
	c.changed += uint64(d.changed)
	c.withdrawn += uint64(d.withdrawn)
	c.unkept += uint64(d.unkept)
	c.from = now
	log := o.cfg.Logger.Info
	if !d.more {
		c.rounds++
	}
	if c.rounds >= maxRounds || d.unkept > 0 {
		log = o.cfg.Logger.Warn
		c.from, c.rounds = now.Add(givenUp/2+rand.N(givenUp)), 0
	}
	c.doubts(now)
	log("the manager had other documents of this host than the agent; it is told again",
		"missing", d.missing, "changed", d.changed, "withdrawn", d.withdrawn, "not_kept", d.unkept, "compared_again_after", c.from.Sub(now).Round(time.Second))
	o.put(d.docs)
}

// comparedStats are the figures of comparing. Called with mu held.
func (o *Outbox) comparedStats() model.ComparedStats {
	c, l := &o.comparing, &o.ledger
	return model.ComparedStats{
		Compared: c.compared, Differed: c.differed,
		Missing: c.missing, Changed: c.changed, Withdrawn: c.withdrawn, Unkept: c.unkept,
		Known: len(l.entries), KnownLimit: maxThings, Kept: l.kept, KeptLimit: maxKept, Comparable: l.comparable(),
	}
}
