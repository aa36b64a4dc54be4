package manager

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"cassini/manager/graph"
	"cassini/manager/store"
)

// batch is what is read from the log in one step, in memory that is used again for another.
type batch struct {
	store.Chunk
	docs    []graph.Logged // its entries
	decoder graph.Decoder
	decoded []graph.Decoded // its documents, where they were asked for
	err     error           // why there is no more
}

// readAhead is how many batches there are: one is applied, others are read and decoded.
const readAhead = 4

// decode decodes the documents.
func (b *batch) decode() { b.decoded = b.decoder.All(b.docs) }

// logged are entries as the graph takes them, behind others.
func logged(docs []graph.Logged, entries []store.Entry) []graph.Logged {
	docs = slices.Grow(docs, len(entries))
	for _, e := range entries {
		docs = append(docs, graph.Logged{Key: string(e.Key), Document: e.Document})
	}
	return docs
}

// inBatches hands out what the log has behind a key up to another, in order, until apply says
// no. What is in a batch is good until apply returns. The next ones are read meanwhile, and
// prepared, if there is anything to prepare.
func (m *Manager) inBatches(ctx context.Context, after, until store.Key, prepare func(*batch), apply func(*batch) bool) error {
	ctx, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer stop() // before it is waited for
	free, full := make(chan *batch, readAhead), make(chan *batch, readAhead)
	for range readAhead {
		free <- new(batch)
	}
	reader.Go(func() {
		defer close(full)
		m.readLog(ctx, after, until, free, func(b *batch) {
			if prepare != nil && b.err == nil {
				prepare(b)
			}
			full <- b // there is room for all of them
		})
	})
	for b := range full {
		if b.err != nil {
			return fmt.Errorf("read document log: %w", b.err)
		}
		if !apply(b) {
			return nil
		}
		free <- b
	}
	return context.Cause(ctx)
}

// readLog reads one free batch after the other, the last one with why there is no more, if
// that is an error.
func (m *Manager) readLog(ctx context.Context, after, until store.Key, free <-chan *batch, give func(*batch)) {
	for {
		var b *batch
		select {
		case b = <-free:
		case <-ctx.Done():
			return
		}
		if b.err = m.store.Read(ctx, after, until, &b.Chunk); b.err == nil && b.Last == "" {
			return
		}
		b.docs = logged(b.docs[:0], b.Entries)
		after = b.Last
		give(b)
		if b.err != nil {
			return
		}
	}
}
