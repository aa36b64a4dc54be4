// Package outbox brings an agent's documents to the manager, in order, each at
// least once. While the manager is away they wait on disk, within a bound.
package outbox

import (
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
	batchSize    = 1000
	firstRetry   = 250 * time.Millisecond
	lastRetry    = 15 * time.Second
)

// Config holds what New needs.
type Config struct {
	Sink   model.Sink
	Path   string // of the spool file
	Limit  int    // documents; DefaultLimit when 0
	Logger *slog.Logger
	// Connected, if set, is called when the sink has accepted something after it
	// had failed, or for the first time; away is for how long it had failed.
	Connected func(ctx context.Context, away time.Duration)
}

// Outbox is the queue. Put, Flush and Stats may be called concurrently with Run.
type Outbox struct {
	cfg   Config
	spool *spool
	wake  chan struct{}

	mu        sync.Mutex
	queue     []model.Document
	spooled   int
	put, done uint64 // sequence numbers: documents put, documents accepted or dropped
	moved     chan struct{}
	accepted  uint64
	retries   uint64
	dropped   map[string]uint64
	connected bool
	failing   time.Time // since when; zero: it does not fail
}

// New makes an outbox and opens its spool, with what an earlier run left there.
func New(cfg Config) (*Outbox, error) {
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	spool, err := openSpool(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("open outbox: %w", err)
	}
	left, err := spool.len()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open outbox: %w", err), spool.close())
	}
	return &Outbox{
		cfg:     cfg,
		spool:   spool,
		wake:    make(chan struct{}, 1),
		moved:   make(chan struct{}),
		spooled: left,
		put:     uint64(left),
		dropped: make(map[string]uint64),
	}, nil
}

// Put queues documents. It never blocks; what finds no room is dropped and counted.
func (o *Outbox) Put(docs ...model.Document) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := max(0, o.cfg.Limit-len(o.queue)-o.spooled)
	if len(docs) > room {
		o.dropped["full"] += uint64(len(docs) - room)
		docs = docs[:room]
	}
	o.queue = append(o.queue, docs...)
	o.put += uint64(len(docs))
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Flush waits until everything that was put before is accepted or dropped.
func (o *Outbox) Flush(ctx context.Context) error {
	o.mu.Lock()
	want := o.put
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
	return model.OutboxStats{
		Queued:    len(o.queue) + o.spooled,
		Limit:     o.cfg.Limit,
		Spooled:   o.spooled,
		Accepted:  o.accepted,
		Retries:   o.retries,
		Dropped:   maps.Clone(o.dropped),
		Connected: o.connected,
	}
}

// Run delivers until the context ends. What could not be delivered by then is
// kept on disk for the next run.
func (o *Outbox) Run(ctx context.Context) error {
	retry := firstRetry
	for {
		more, err := o.deliver(ctx)
		if ctx.Err() != nil {
			return o.stop()
		}
		var wait <-chan time.Time
		if err != nil {
			o.failed(err)
			wait = time.After(retry/2 + rand.N(retry))
			retry = min(2*retry, lastRetry)
		} else {
			retry = firstRetry
			if more {
				continue
			}
		}
		select {
		case <-ctx.Done():
			return o.stop()
		case <-wait:
		case <-wakeUnless(wait, o.wake):
		}
	}
}

// wakeUnless is the channel to listen on: while a retry is due later, new
// documents don't hurry it.
func wakeUnless(retry <-chan time.Time, wake <-chan struct{}) <-chan struct{} {
	if retry != nil {
		return nil
	}
	return wake
}

// stop spools what is left and closes the spool.
func (o *Outbox) stop() error {
	return errors.Join(o.toDisk(), o.spool.close())
}

// deliver sends one batch: from the disk while anything is there, so that the
// order holds.
func (o *Outbox) deliver(ctx context.Context) (more bool, err error) {
	o.mu.Lock()
	spooled := o.spooled
	o.mu.Unlock()
	if spooled > 0 {
		return true, o.deliverSpooled(ctx)
	}
	o.mu.Lock()
	batch := o.queue[:min(len(o.queue), batchSize)]
	o.mu.Unlock()
	if len(batch) == 0 {
		return false, nil
	}
	refused, err := o.send(ctx, batch)
	if err != nil {
		return false, errors.Join(err, o.toDisk())
	}
	o.mu.Lock()
	o.queue = o.queue[len(batch):]
	if len(o.queue) == 0 {
		o.queue = nil
	}
	o.mu.Unlock()
	o.delivered(ctx, len(batch), refused)
	return true, nil
}

func (o *Outbox) deliverSpooled(ctx context.Context) error {
	if err := o.toDisk(); err != nil {
		return err
	}
	last, batch, err := o.spool.head(batchSize)
	if err != nil {
		return err
	}
	refused, err := o.send(ctx, batch)
	if err != nil {
		return err
	}
	if err := o.spool.remove(last); err != nil {
		return err
	}
	o.mu.Lock()
	o.spooled -= len(batch)
	o.mu.Unlock()
	o.delivered(ctx, len(batch), refused)
	return nil
}

// send brings a batch to the sink. Documents that the sink calls invalid are
// dropped one by one, so that they do not hold up the others.
func (o *Outbox) send(ctx context.Context, batch []model.Document) (refused int, err error) {
	err = o.cfg.Sink.Accept(ctx, batch)
	if !errors.Is(err, model.ErrInvalidDocument) {
		return 0, err
	}
	for i := range batch {
		err := o.cfg.Sink.Accept(ctx, batch[i:i+1])
		if errors.Is(err, model.ErrInvalidDocument) {
			o.cfg.Logger.Error("manager refused a document; it is dropped", "document", batch[i].String(), "error", err)
			refused++
		} else if err != nil {
			return 0, err
		}
	}
	return refused, nil
}

// toDisk moves the queue to the spool.
func (o *Outbox) toDisk() error {
	o.mu.Lock()
	queue := o.queue
	o.mu.Unlock()
	if len(queue) == 0 {
		return nil
	}
	if err := o.spool.append(queue); err != nil {
		return fmt.Errorf("keep documents on disk: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = o.queue[len(queue):]
	o.spooled += len(queue)
	return nil
}

func (o *Outbox) delivered(ctx context.Context, n, refused int) {
	o.mu.Lock()
	reconnected := !o.connected
	o.connected = true
	var away time.Duration
	if !o.failing.IsZero() {
		away, o.failing = time.Since(o.failing), time.Time{}
	}
	o.accepted += uint64(n - refused)
	if refused > 0 {
		o.dropped["refused"] += uint64(refused)
	}
	o.done += uint64(n)
	close(o.moved)
	o.moved = make(chan struct{})
	o.mu.Unlock()
	if reconnected && o.cfg.Connected != nil {
		o.cfg.Connected(ctx, away)
	}
}

func (o *Outbox) failed(err error) {
	o.mu.Lock()
	first := o.connected || o.retries == 0
	o.connected = false
	if o.failing.IsZero() {
		o.failing = time.Now()
	}
	o.retries++
	waiting := len(o.queue) + o.spooled
	o.mu.Unlock()
	if first {
		o.cfg.Logger.Warn("cannot deliver documents; they wait and are tried again", "waiting", waiting, "error", err)
	}
}
