package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
)

// batch is how many updates SQLite makes in one transaction.
const batch = 1000

// updates tells how many edges' documents are taken in while somebody asks questions one
// after the other: with counters alone in motion, and with one in a thousand a new
// dependency, which makes the graph join everything anew for the next question.
func (w *world) updates(ctx context.Context) (list []update, err error) {
	for _, u := range []struct {
		what  string
		fresh int // one in so many is new; 0 is none
	}{{"counters", 0}, {"counters, and one in 1,000 a new dependency", 1000}} {
		f, err := w.feeder(u.fresh)
		if err != nil {
			return nil, err
		}
		r := update{What: u.what, By: ours}
		if err := w.while(ctx, &r, f.next, func(q question, start []string) error { q.ours(start); return nil }); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	for _, p := range w.peers {
		ids, err := p.Edges(ctx, maxSteady)
		if err != nil {
			return nil, err
		}
		at := 0
		next := func() (int, error) {
			end := min(at+batch, len(ids))
			n, err := end-at, p.Update(ctx, ids[at:end])
			at = end % len(ids)
			return n, err
		}
		r := update{What: "counters", By: p.name}
		if err := w.while(ctx, &r, next, func(q question, start []string) error { _, err := q.peers(ctx, p.DB, start); return err }); err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		list = append(list, r)
	}
	return list, nil
}

// while updates for the configured time, with one that asks beside it.
func (w *world) while(ctx context.Context, r *update, next func() (int, error), ask func(question, []string) error) error {
	done := make(chan struct{})
	var asking sync.WaitGroup
	var failed error
	asking.Go(func() {
		random, questions := w.random("beside updates"), w.beside()
		for i := 0; ; i++ {
			q := questions[i%len(questions)]
			start, begin := q.start(random), time.Now()
			if failed = ask(q, start); failed != nil {
				return
			}
			r.Asked = append(r.Asked, time.Since(begin))
			select {
			case <-done:
				return
			default:
			}
		}
	})
	var err error
	begin, edges := time.Now(), 0
	for err == nil && ctx.Err() == nil && time.Since(begin) < w.cfg.Updates {
		var n int
		n, err = next()
		edges += n
	}
	r.PerSecond = float64(edges) / time.Since(begin).Seconds()
	close(done)
	asking.Wait()
	return errors.Join(err, failed, ctx.Err())
}

// feeder sends dependencies again with other counters, from documents that were made
// beforehand, as they come from the wire.
type feeder struct {
	w     *world
	docs  []model.Document
	fresh int
	sent  int
	// What a manager has that follows its log.
	decoder graph.Decoder
	some    []graph.Logged
}

func (w *world) feeder(fresh int) (*feeder, error) {
	f := &feeder{w: w, fresh: fresh}
	for _, old := range w.steady {
		var d model.Dependency
		if err := old.Decode(&d); err != nil {
			return nil, fmt.Errorf("decode a dependency: %w", err)
		}
		d.Connections += 10
		doc, err := model.NewDocument(old.Name, w.report.Begin, d)
		if err != nil {
			return nil, fmt.Errorf("encode a dependency: %w", err)
		}
		doc.Progress = true
		f.docs = append(f.docs, doc)
	}
	return f, nil
}

// next applies a batch.
func (f *feeder) next() (int, error) {
	docs := f.some[:0]
	for range batch {
		f.sent++
		doc := f.docs[f.sent%len(f.docs)]
		if f.fresh > 0 && f.sent%f.fresh == 0 {
			var err error
			if doc, err = f.another(doc); err != nil {
				return 0, err
			}
		}
		docs = append(docs, graph.Logged{Key: string(store.NewKey(doc.Time, doc.Name)), Document: doc})
	}
	f.some = docs
	f.w.graph.ApplyAll(f.decoder.All(docs))
	return batch, nil
}

// another is a dependency on another port, which was not there.
func (f *feeder) another(doc model.Document) (model.Document, error) {
	var d model.Dependency
	if err := doc.Decode(&d); err != nil {
		return doc, fmt.Errorf("decode a dependency: %w", err)
	}
	d.Port = uint16(20_000 + f.sent/f.fresh%30_000)
	return model.NewDocument(model.Name{Host: doc.Host, Package: doc.Package, Key: d.Key()}, doc.Time, d)
}
