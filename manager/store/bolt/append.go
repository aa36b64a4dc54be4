package bolt

import (
	"context"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// maxGroup bounds how many documents share one transaction, unless one batch
// alone has more.
const maxGroup = 20_000

// request is one Append that waits for its commit.
type request struct {
	docs []model.Document
	keys []store.Key
	err  error
	done bool
}

// Append implements store.Store. Whoever gets the writer's lock commits what all
// that wait for it have queued.
func (s *Store) Append(ctx context.Context, docs []model.Document) ([]store.Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := store.Validate(docs); err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, nil
	}
	r := &request{docs: docs}
	if err := s.enqueue(r); err != nil {
		return nil, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	for !r.done {
		s.commit(s.takeGroup())
	}
	return r.keys, r.err
}

func (s *Store) enqueue(r *request) error {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	s.queue = append(s.queue, r)
	return nil
}

// takeGroup takes requests from the head of the queue.
func (s *Store) takeGroup() []*request {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	n, docs := 0, 0
	for n < len(s.queue) && (n == 0 || docs+len(s.queue[n].docs) <= maxGroup) {
		docs += len(s.queue[n].docs)
		n++
	}
	group := s.queue[:n:n]
	s.queue = s.queue[n:]
	return group
}

// commit writes a group in one transaction: durable for all, or an error for all.
func (s *Store) commit(group []*request) {
	var w writer
	err := s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			w = writer{store: s, tx: tx, log: tx.Bucket(bucketLog), names: tx.Bucket(bucketNames)}
			return w.write(group)
		})
	})
	for _, r := range group {
		r.done = true
		if err != nil {
			r.keys, r.err = nil, classify("append to", s.path, err)
		}
	}
	if err == nil {
		s.appended.Add(w.appended)
		s.thinned.Add(w.thinned)
		s.expired.Add(w.expired)
	}
	s.clocked.Store(s.clock.Held)
}
