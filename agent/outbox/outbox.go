// Package outbox brings an agent's documents to the manager, in order, each at
// least once and numbered, so that it counts once. While the manager is away they wait on
// disk, within a bound.
package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"cassini/model"
)

const (
	// DefaultLimit is how many documents may wait, in memory and on disk.
	DefaultLimit = 100_000
	// inMemory is how many may wait in memory: what the manager does not take at once goes to
	// disk.
	inMemory   = 4 * batchSize
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// Config holds what New needs.
type Config struct {
	Sink model.Sink
	// Host is whose documents may wait: the manager takes no others of this agent. "" is any's.
	Host   string
	Path   string // of the spool file
	Limit  int    // documents; DefaultLimit when 0
	Logger *slog.Logger
	// Spread is within what time a Doubt is followed by a question; a minute when 0. All
	// agents of an estate may come to the same doubt at once.
	Spread time.Duration
	// Connected, if set, is called when the sink has accepted something after it
	// had failed, or for the first time; away is for how long it had failed.
	Connected func(ctx context.Context, away time.Duration)
	// Emptied, if set, is called when nothing waits any more, with how many documents were
	// delivered since it was last called.
	Emptied func(delivered uint64)
	// PutBack, if set, is called when the manager has what this outbox did not number: the machine
	// may have been put back to an earlier state.
	PutBack func()
}

// Outbox is the queue. Put, Flush and Stats may be called concurrently with Run.
type Outbox struct {
	cfg   Config
	spool *spool
	wake  chan struct{}
	many  chan struct{} // more than inMemory wait

	mu         sync.Mutex
	queue      []item
	numbers    numbering
	spooled    int
	came, done uint64 // sequence numbers: documents put, documents accepted or dropped
	told       uint64 // done, when Emptied was last called
	moved      chan struct{}
	accepted   uint64
	retries    uint64
	putOff     uint64
	anew       uint64 // numbered
	problem    error  // of the last delivery
	called     string // what was told last that somebody has to do something about
	dropped    map[string]uint64
	connected  bool
	failing    time.Time // since when; zero: it does not fail
	ledger     ledger
	comparing  comparing
}

// New makes an outbox and opens its spool, with what an earlier run left there.
func New(cfg Config) (*Outbox, error) {
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	cfg.Spread = cmp.Or(cfg.Spread, doubtSpread)
	spool, life, err := openSpool(cfg.Path, time.Now())
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	strange, damaged, err := spool.clean(cfg.Host)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox: %w", err), spool.close())
	}
	if strange > 0 {
		cfg.Logger.Warn("documents that waited are of the name that this host had before, and are dropped", "documents", strange, "host", cfg.Host)
	}
	if damaged > 0 {
		cfg.Logger.Error("documents that waited cannot be read any more, and are dropped", "documents", damaged, "file", cfg.Path)
	}
	left, err := spool.len()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox: %w", err), spool.close())
	}
	ledger := newLedger()
	if err := spool.each(func(doc model.Document) { ledger.said(doc, true) }); err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox: %w", err), spool.close())
	}
	o := &Outbox{
		cfg:     cfg,
		spool:   spool,
		wake:    make(chan struct{}, 1),
		many:    make(chan struct{}, 1),
		moved:   make(chan struct{}),
		spooled: left,
		numbers: numbering{last: model.Position{Incarnation: life}},
		came:    uint64(left),
		dropped: make(map[string]uint64),
		ledger:  ledger,
	}
	for reason, n := range map[string]int{"renamed": strange, "damaged": damaged} {
		if n > 0 {
			o.dropped[reason] = uint64(n)
		}
	}
	return o, nil
}

// Put queues documents. It never blocks; what finds no room is dropped and counted.
func (o *Outbox) Put(docs ...model.Document) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.put(docs)
}

// put is Put with mu held.
func (o *Outbox) put(docs []model.Document) {
	for _, doc := range docs {
		at := o.numbers.give() // also to what is dropped: the manager notices the gap
		room := len(o.queue)+o.spooled < o.cfg.Limit
		o.ledger.said(doc, room)
		if !room {
			o.dropped["full"]++
			o.comparing.doubts(time.Now()) // it is sent again when there is room
			continue
		}
		o.queue = append(o.queue, item{at, doc})
		o.came++
	}
	signal(o.wake)
	if len(o.queue) > inMemory {
		signal(o.many)
	}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Flush waits until everything that was put before is accepted or dropped.
func (o *Outbox) Flush(ctx context.Context) error {
	o.mu.Lock()
	want := o.came
	o.mu.Unlock()
	for {
		o.mu.Lock()
		done, moved := o.done, o.moved
		o.mu.Unlock()
		if done >= want {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("flush outbox: %w", context.Cause(ctx))
		case <-moved:
		}
	}
}

// Stats returns the figures.
func (o *Outbox) Stats() model.OutboxStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	stats := model.OutboxStats{
		Queued:     len(o.queue) + o.spooled,
		Limit:      o.cfg.Limit,
		Spooled:    o.spooled,
		Accepted:   o.accepted,
		Retries:    o.retries,
		PutOff:     o.putOff,
		Dropped:    maps.Clone(o.dropped),
		Connected:  o.connected,
		Renumbered: o.anew,
		Compared:   o.comparedStats(),
	}
	if o.problem != nil {
		stats.Problem = o.problem.Error()
	}
	return stats
}

// Run delivers until the context ends. What could not be delivered by then is
// kept on disk for the next run.
func (o *Outbox) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		more, later, err := o.deliver(ctx)
		if ctx.Err() != nil {
			return o.stop()
		}
		var wait, inquire <-chan time.Time
		if later > 0 {
			inquire = time.After(later)
		}
		if err != nil {
			o.failed(err)
			wait = time.After(pause(retry, err))
			retry = min(2*retry, lastRetry)
		} else {
			retry = firstRetry
			if more {
				continue
			}
			o.tellEmptied()
		}
		if !o.rest(ctx, wait, inquire) {
			return o.stop()
		}
	}
}

// tellEmptied calls Emptied if something was delivered.
func (o *Outbox) tellEmptied() {
	o.mu.Lock()
	n := o.done - o.told
	o.told = o.done
	o.mu.Unlock()
	if n > 0 && o.cfg.Emptied != nil {
		o.cfg.Emptied(n)
	}
}

// pause is how long to wait after a delivery that failed: as long as the manager asks for, if
// it does, and spread, so that not all come at once.
func pause(retry time.Duration, err error) time.Duration {
	wait := retry/2 + rand.N(retry)
	if busy, ok := errors.AsType[*model.BusyError](err); ok && busy.After > 0 {
		wait = max(wait, busy.After+rand.N(busy.After))
	}
	return wait
}

// unless is the channel to listen on: while a retry is due later, new
// documents don't hurry it.
func unless[T any](retry <-chan time.Time, wake <-chan T) <-chan T {
	if retry != nil {
		return nil
	}
	return wake
}

// stop spools what is left and closes the spool.
func (o *Outbox) stop() error {
	return errors.Join(o.toDisk(), o.spool.close())
}
