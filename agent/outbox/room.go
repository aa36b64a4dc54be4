package outbox

import (
	"context"
	"fmt"
	"time"
)

// Room waits until few documents are on their way, or it is known that none gets through now:
// who has many makes the next ones then.
func (o *Outbox) Room(ctx context.Context) error {
	for {
		o.mu.Lock()
		few, moved := len(o.queue)+o.spooled <= batchSize || !o.connected, o.moved
		o.mu.Unlock()
		if few {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for documents to be delivered: %w", context.Cause(ctx))
		case <-moved:
		}
	}
}

// rest waits for the next delivery to be due, or for the time to inquire; false: the context has
// ended. Meanwhile what is too much for memory goes to disk.
func (o *Outbox) rest(ctx context.Context, retry, inquire <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-retry:
			return true
		case <-unless(retry, inquire):
			return true
		case <-unless(retry, o.wake):
			return true
		case <-o.many:
			o.unburden()
		}
	}
}

// unburden puts what waits on disk, if that is much.
func (o *Outbox) unburden() {
	o.mu.Lock()
	much := len(o.queue) > inMemory
	o.mu.Unlock()
	if !much {
		return
	}
	if err := o.toDisk(); err != nil { // they stay in memory, within Limit
		o.cfg.Logger.Warn("documents that wait are kept in memory", "error", err)
	}
}
