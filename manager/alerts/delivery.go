package alerts

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"cassini/model"
)

// How often a receiver is looked at, and how long one that fails rests.
const (
	look       = 5 * time.Second
	firstRest  = time.Second
	longRest   = 5 * time.Minute
	failsAPass = 3 // attempts that fail until the others wait as well
)

// Receiver takes notices. Only one goroutine calls it.
type Receiver interface {
	// Name is for people and metrics, Key for the disk.
	Name() string
	Key() string
	// Tenant is whose incidents it is told of; "" is the whole estate's.
	Tenant() string
	// Batch is how many notices it takes at once, Repeat how often it wants to hear of
	// what goes on; 0 is never.
	Batch() int
	Repeat() time.Duration
	// Send returns once they are taken. An error that wraps a *RetryAfter says when to
	// try again.
	Send(ctx context.Context, notices []Notice, now time.Time) error
	Close()
}

// RetryAfter is an error of a receiver that wants to be left alone for a while.
type RetryAfter struct {
	After time.Duration
	Err   error
}

// Error implements error.
func (r *RetryAfter) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r *RetryAfter) Unwrap() error { return r.Err }

// Source is where incidents come from. It is safe for concurrent use.
type Source interface {
	// Incidents are all that are known, with acknowledgements and silences, and the
	// moment that they are of. ok is false before they are known.
	Incidents(ctx context.Context) (list []model.Incident, asOf time.Time, ok bool)
	// Affected is what falls with an incident.
	Affected(ctx context.Context, i model.Incident) *model.Affected
}

// delivery tells one receiver.
type delivery struct {
	Receiver
	source Source
	disk   *disk
	log    *slog.Logger
	now    func() time.Time
	wake   chan struct{}

	memory memory
	kept   time.Time      // the cursor on disk
	failed map[string]int // attempts, by incident
	rest   time.Duration  // before the next attempt, after a failure

	mu    sync.Mutex
	stats model.ReceiverStats
}

// run tells the receiver until the context ends.
func (d *delivery) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wake := d.wake
		if d.rest > 0 {
			wake = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
		d.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		wait := look
		if d.rest > 0 {
			wait = d.rest*4/5 + time.Duration(rand.Int64N(int64(d.rest*2/5)))
		}
		timer.Reset(wait)
	}
}

// pass sends what is due, and writes down what was taken.
func (d *delivery) pass(ctx context.Context) {
	list, asOf, ok := d.source.Incidents(ctx)
	if !ok {
		return
	}
	if d.memory.cursor.IsZero() { // a new receiver hears what is open, and no history
		d.memory.cursor = asOf
	}
	owed, again := d.memory.due(list, d.now(), d.Repeat())
	slices.SortStableFunc(owed, func(a, b Notice) int { return d.failed[a.Incident.ID] - d.failed[b.Incident.ID] })
	d.note(owed, nil)
	left, err := d.send(ctx, append(owed, again...))
	if err == nil && left == 0 {
		d.rest, d.failed = 0, nil
		d.advance(asOf, list)
	}
	owed, _ = d.memory.due(list, d.now(), 0)
	d.note(owed, err)
}

// send sends notices in batches. It returns how many it did not, and the last error.
func (d *delivery) send(ctx context.Context, notices []Notice) (left int, last error) {
	fails, asked := 0, time.Duration(0)
	for batch := range slices.Chunk(notices, d.Batch()) {
		if fails >= failsAPass || ctx.Err() != nil {
			left += len(batch)
			continue
		}
		if err := d.sendBatch(ctx, batch); err != nil {
			left, last = left+len(batch), err
			fails++
			if wait, ok := errors.AsType[*RetryAfter](err); ok {
				asked, fails = wait.After, failsAPass
			}
		}
	}
	switch {
	case asked > 0:
		d.rest = min(max(asked, firstRest), longRest) * 5 / 4 // of which run takes a fifth away, or adds it
	case last != nil:
		d.rest = min(max(2*d.rest, firstRest), longRest)
	}
	return left, last
}

func (d *delivery) sendBatch(ctx context.Context, batch []Notice) error {
	for n := range batch {
		if !batch[n].Again && batch[n].Status != StatusResolved {
			batch[n].Incident.Affected = d.source.Affected(ctx, batch[n].Incident)
		}
	}
	now := d.now()
	err := d.Send(ctx, batch, now)
	if err == nil {
		err = d.commit(batch, now)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.stats.Failed++
		if d.failed == nil {
			d.failed = make(map[string]int)
		}
		for _, n := range batch {
			d.failed[n.Incident.ID]++
		}
		return err
	}
	d.stats.Sent += uint64(len(batch))
	d.stats.Success = now
	return nil
}

// commit remembers what was taken: on disk first, but for repetitions.
func (d *delivery) commit(batch []Notice, now time.Time) error {
	news, changed := make(map[string]told, len(batch)), make(map[string]told)
	for _, n := range batch {
		t := told{Status: n.Status, Print: n.print, At: now, Incident: short(n.Incident)}
		news[n.Incident.ID] = t
		if !n.Again {
			changed[n.Incident.ID] = t
		}
	}
	if len(changed) > 0 {
		if err := d.disk.write(d.Key(), d.memory.cursor, changed, nil); err != nil {
			return err
		}
	}
	for id, t := range news {
		d.memory.told[id] = t
	}
	return nil
}

// advance moves the cursor: nothing up to there is owed. It is written if that matters.
func (d *delivery) advance(asOf time.Time, list []model.Incident) {
	if asOf.Before(d.memory.cursor) {
		return
	}
	d.memory.cursor = asOf
	finished := d.memory.finished()
	moved := d.kept.IsZero() || slices.ContainsFunc(list, func(i model.Incident) bool { return i.Changed.After(d.kept) && !i.Changed.After(asOf) })
	if !moved && len(finished) == 0 {
		return
	}
	if err := d.disk.write(d.Key(), asOf, nil, finished); err != nil {
		d.log.Warn("what a receiver was told is not written down; it may be told again", "receiver", d.Name(), "error", err)
		return
	}
	d.kept = asOf
	for _, id := range finished {
		delete(d.memory.told, id)
	}
}

// note keeps the figures, and logs where a receiver begins and ends to fail.
func (d *delivery) note(owed []Notice, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &d.stats
	s.Pending, s.Oldest, s.Firing = len(owed), time.Time{}, 0
	for _, n := range owed {
		if at := n.Incident.Changed; s.Oldest.IsZero() || at.Before(s.Oldest) {
			s.Oldest = at
		}
	}
	for _, t := range d.memory.told {
		if t.Status != StatusResolved {
			s.Firing++
		}
	}
	switch {
	case err != nil && s.Error == "":
		d.log.Warn("a receiver of alerts fails; trying again", "receiver", d.Name(), "pending", len(owed), "error", err)
	case err != nil:
		d.log.Debug("a receiver of alerts still fails", "receiver", d.Name(), "pending", len(owed), "next", d.rest, "error", err)
	case s.Error != "" && d.rest == 0 && len(owed) == 0:
		d.log.Info("a receiver of alerts works again", "receiver", d.Name())
	}
	if err != nil {
		s.Error = err.Error()
	} else if d.rest == 0 && len(owed) == 0 {
		s.Error = ""
	}
}

func (d *delivery) figures() model.ReceiverStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}
