package agent

import (
	"context"
	"errors"
	"sync"

	"cassini/agent/outbox"
)

// loops are parts that run together: when one ends, so do the others.
type loops struct {
	ctx  context.Context // of all of them
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu   sync.Mutex
	errs []error // in the order in which the loops ended
}

func together(ctx context.Context) *loops {
	ctx, stop := context.WithCancel(ctx)
	return &loops{ctx: ctx, stop: stop}
}

// run begins loops that work until the context ends.
func (l *loops) run(list ...func(context.Context) error) {
	for _, loop := range list {
		l.wg.Go(func() {
			err := loop(l.ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.errs = append(l.errs, err)
			l.stop()
		})
	}
}

// beside begins what may end before the others do.
func (l *loops) beside(work func(context.Context)) { l.wg.Go(func() { work(l.ctx) }) }

// wait returns when all have ended.
func (l *loops) wait() error {
	l.wg.Wait()
	l.stop()
	return errors.Join(l.errs...)
}

// whileSending runs the outbox around what fills it: fill is stopped when the outbox ends,
// and the outbox when fill has returned and its documents have had a moment to arrive.
func (a *Agent) whileSending(ctx context.Context, box *outbox.Outbox, fill func(context.Context) error) error {
	filling, stop := context.WithCancel(ctx)
	defer stop()
	sending := together(context.WithoutCancel(ctx))
	sending.run(func(ctx context.Context) error {
		defer stop()
		return box.Run(ctx)
	})
	err := fill(filling)
	a.lastWord(ctx, box)
	sending.stop()
	return errors.Join(err, sending.wait())
}
