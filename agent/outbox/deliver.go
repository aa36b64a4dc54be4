package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cassini/model"
)

// deliver sends one batch: from the disk while anything is there, so that the
// order holds. With nothing to send it says when to come again, 0 for never.
func (o *Outbox) deliver(ctx context.Context) (more bool, later time.Duration, err error) {
	o.unburden()
	o.mu.Lock()
	spooled, differs := o.spooled, o.comparing.differs
	o.mu.Unlock()
	if differs {
		o.repair(ctx)
		return true, 0, nil
	}
	if spooled > 0 {
		return true, 0, o.deliverSpooled(ctx)
	}
	o.mu.Lock()
	batch := next(o.queue)
	n := len(batch.Documents)
	if n == 0 {
		batch, later = o.inquiry()
	} else if n == len(o.queue) {
		batch.Check = o.check()
	}
	o.mu.Unlock()
	if n == 0 && batch.Check == nil {
		return false, later, nil
	}
	refused, err := o.send(ctx, batch)
	if err != nil {
		return false, 0, errors.Join(err, o.toDisk())
	}
	o.mu.Lock()
	o.take(n)
	o.mu.Unlock()
	o.delivered(ctx, batch.Documents, refused)
	return true, 0, nil
}

func (o *Outbox) deliverSpooled(ctx context.Context) error {
	if err := o.toDisk(); err != nil {
		return err
	}
	keys, items, err := o.spool.head(batchSize)
	if err != nil {
		return err
	}
	batch := next(items)
	n := len(batch.Documents)
	o.mu.Lock()
	if n == o.spooled && len(o.queue) == 0 {
		batch.Check = o.check()
	}
	o.mu.Unlock()
	refused, err := o.send(ctx, batch)
	if err != nil {
		return err
	}
	if err := o.spool.remove(keys[n-1]); err != nil {
		return err
	}
	o.mu.Lock()
	o.spooled -= n
	empty := o.spooled == 0
	o.mu.Unlock()
	if empty {
		if err := o.spool.shrink(); err != nil {
			o.cfg.Logger.Warn("the outbox on disk stays as large as it was", "error", err)
		}
	}
	o.delivered(ctx, batch.Documents, refused)
	return nil
}

// send brings a batch to the sink. Documents that the sink calls invalid are
// dropped one by one, so that they do not hold up the others.
func (o *Outbox) send(ctx context.Context, batch model.Batch) (refused map[int]bool, err error) {
	err = o.hand(ctx, batch)
	if !errors.Is(err, model.ErrInvalidDocument) || len(batch.Documents) == 0 {
		return nil, err
	}
	refused = make(map[int]bool)
	for i, doc := range batch.Documents {
		one := model.Batch{Host: batch.Host, Documents: batch.Documents[i : i+1]}
		if batch.First != (model.Position{}) {
			one.First = batch.First.Plus(i)
		}
		err := o.hand(ctx, one)
		if errors.Is(err, model.ErrInvalidDocument) {
			o.cfg.Logger.Error("manager refused a document; it is dropped", "document", doc.String(), "error", err)
			refused[i] = true
		} else if err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// hand brings a batch to the sink, and looks at its receipt.
func (o *Outbox) hand(ctx context.Context, batch model.Batch) error {
	receipt, err := o.cfg.Sink.Deliver(ctx, batch)
	o.mu.Lock()
	ours := err != nil || o.numbers.given(batch, receipt)
	o.numbers.noteSent(batch)
	if ours && err == nil {
		o.judge(batch, receipt)
	}
	o.mu.Unlock()
	if ours {
		return err
	}
	return errors.Join(errNumbers, o.renumber(receipt.Last))
}

// renumber gives all that waits other numbers, behind what the manager has. That has been told
// what this outbox does not know of, such as before a snapshot of the machine was restored.
func (o *Outbox) renumber(behind model.Position) error {
	if o.cfg.PutBack != nil {
		o.cfg.PutBack()
	}
	if err := o.toDisk(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	last, err := o.spool.renumber(max(behind.Incarnation, o.numbers.last.Incarnation) + 1)
	if err != nil {
		return fmt.Errorf("number documents anew: %w", err)
	}
	for i := range o.queue { // that came since
		last.Sequence++
		o.queue[i].at = last
	}
	o.numbers, o.anew = numbering{last: last}, o.anew+1
	o.comparing.doubts(time.Now())
	return nil
}

// toDisk moves the queue to the spool, a batch at a time: a transaction is in memory whole.
func (o *Outbox) toDisk() error {
	o.mu.Lock()
	queue := o.queue
	o.mu.Unlock()
	for batch := range slices.Chunk(queue, batchSize) {
		if err := o.spool.append(batch); err != nil {
			return fmt.Errorf("keep documents on disk: %w", err)
		}
		o.mu.Lock()
		o.take(len(batch))
		o.spooled += len(batch)
		o.mu.Unlock()
	}
	return nil
}

// take removes what is first in the queue. The lock is held.
func (o *Outbox) take(n int) {
	clear(o.queue[:n]) // what was appended since keeps the array
	o.queue = o.queue[n:]
	if len(o.queue) == 0 {
		o.queue = nil
	}
}

func (o *Outbox) delivered(ctx context.Context, docs []model.Document, refused map[int]bool) {
	o.mu.Lock()
	for i, doc := range docs {
		o.ledger.brought(doc, refused[i])
	}
	reconnected := !o.connected
	o.connected, o.problem, o.called = true, nil, ""
	var away time.Duration
	if !o.failing.IsZero() {
		away, o.failing = time.Since(o.failing), time.Time{}
	}
	o.accepted += uint64(len(docs) - len(refused))
	if len(refused) > 0 {
		o.dropped["refused"] += uint64(len(refused))
	}
	o.done += uint64(len(docs))
	close(o.moved)
	o.moved = make(chan struct{})
	o.mu.Unlock()
	if reconnected && o.cfg.Connected != nil {
		o.cfg.Connected(ctx, away)
	}
}

func (o *Outbox) failed(err error) {
	o.mu.Lock()
	call := callFor(err)
	first := o.connected || o.retries == 0 || errors.Is(err, errNumbers) || call != "" && call != o.called
	if first {
		o.called = call
	}
	o.connected, o.problem = false, err
	if _, busy := errors.AsType[*model.BusyError](err); busy {
		o.putOff++
	}
	if o.failing.IsZero() {
		o.failing = time.Now()
	}
	o.retries++
	close(o.moved) // who waits for room has it
	o.moved = make(chan struct{})
	waiting := len(o.queue) + o.spooled
	o.mu.Unlock()
	if first {
		o.cfg.Logger.Warn("cannot deliver documents; they wait and are tried again", "waiting", waiting, "error", err)
	}
}
