package keeper

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"cassini/model"
)

// outgoing are documents on their way into the manager's log, beside the loop: the log
// may take its time.
type outgoing struct {
	mu   sync.Mutex
	docs []model.Document
	wake chan struct{}
}

const (
	maxOutgoing = 100_000
	retryKeep   = time.Second
)

// add says how many documents found no room.
func (o *outgoing) add(docs ...model.Document) (lost int) {
	if len(docs) == 0 {
		return 0
	}
	o.mu.Lock()
	if room := maxOutgoing - len(o.docs); len(docs) > room {
		docs, lost = docs[:room], len(docs)-room
	}
	o.docs = append(o.docs, docs...)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return lost
}

// run brings documents into the log until the context ends.
func (o *outgoing) run(ctx context.Context, keep func(context.Context, []model.Document) error, log *slog.Logger) {
	for {
		select {
		case <-o.wake:
		case <-ctx.Done():
			return
		}
		for {
			o.mu.Lock()
			docs := o.docs
			o.docs = nil
			o.mu.Unlock()
			if len(docs) == 0 {
				break
			}
			for err := keep(ctx, docs); err != nil; err = keep(ctx, docs) {
				log.Error("verdicts and rings are not in the document log yet", "documents", len(docs), "error", err)
				select {
				case <-time.After(retryKeep):
				case <-ctx.Done():
					return
				}
			}
		}
	}
}
