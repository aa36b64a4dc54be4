package bolt

import (
	"context"
	"slices"
	"strings"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// maxGroup bounds how many documents share one transaction, unless one batch
// alone has more.
const maxGroup = 20_000

// request is one Append or Deliver that waits for its commit.
type request struct {
	docs    []model.Document
	batch   model.Batch // whose documents they are, if they are numbered
	asked   bool        // for keys
	keys    []store.Key
	receipt model.Receipt
	err     error
	done    bool
}

// Append implements store.Store. Whoever gets the writer's lock commits what all
// that wait for it have queued.
func (s *Store) Append(ctx context.Context, docs []model.Document) ([]store.Key, error) {
	r := &request{docs: docs, asked: true}
	err := s.do(ctx, r)
	return r.keys, err
}

// Deliver implements store.Store.
func (s *Store) Deliver(ctx context.Context, b model.Batch) (model.Receipt, error) {
	r := &request{docs: b.Documents}
	if b.First != (model.Position{}) {
		r.batch = b
	}
	err := s.do(ctx, r)
	return r.receipt, err
}

// do waits until a request is durable.
func (s *Store) do(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := store.Validate(r.docs); err != nil {
		return err
	}
	if len(r.docs) == 0 {
		return nil
	}
	if err := s.enqueue(r); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	for !r.done {
		s.commit(s.takeGroup())
	}
	return r.err
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

// commit writes a group in one transaction: durable for all, or an error for all. Hosts come in the
// order of their names, as names are kept: a name that is put before many of the same transaction has
// bbolt move all of these. Nobody knows whether another request was there first.
func (s *Store) commit(group []*request) {
	slices.SortStableFunc(group, func(a, b *request) int { return strings.Compare(a.docs[0].Host, b.docs[0].Host) })
	var w writer
	err := s.guard(func() error {
		return s.db.Load().Update(func(tx *bolt.Tx) error {
			w = writer{store: s, tx: tx, log: tx.Bucket(bucketLog), names: tx.Bucket(bucketNames), room: &s.room}
			w.known = w.names.Cursor()
			return w.write(group)
		})
	})
	s.room.clear()
	for _, r := range group {
		r.done = true
		if err != nil {
			r.keys, r.receipt, r.err = nil, model.Receipt{}, classify("append to", s.path, err)
		}
	}
	if err == nil {
		s.tell(w.entries)
		s.appended.Add(w.appended)
		s.thinned.Add(w.thinned)
		s.expired.Add(w.expired)
	}
	s.clocked.Store(s.clock.Held)
}

// tell hands on what has been committed.
func (s *Store) tell(entries []store.Entry) {
	if len(entries) == 0 {
		return
	}
	if s.cfg.Committed != nil {
		s.cfg.Committed(s.newest, entries)
	}
	s.newest = entries[len(entries)-1].Key
}
