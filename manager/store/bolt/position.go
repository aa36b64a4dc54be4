package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// bucketPositions maps a host to how far its numbered documents have come: incarnation
// and sequence, 8 bytes each, big endian. It is made with the first of them. A Cassini
// that does not know it leaves it as it is.
var bucketPositions = []byte("positions")

const positionSize = 16

func encodePosition(p model.Position) []byte {
	v := binary.BigEndian.AppendUint64(nil, uint64(p.Incarnation))
	return binary.BigEndian.AppendUint64(v, p.Sequence)
}

// readPosition is zero where a host has none.
func readPosition(tx *bolt.Tx, host string) (p model.Position, err error) {
	b := tx.Bucket(bucketPositions)
	if b == nil {
		return p, nil
	}
	v := b.Get([]byte(host))
	switch len(v) {
	case 0:
		return p, nil
	case positionSize:
		return parsePosition(v), nil
	}
	return p, fmt.Errorf("position of host %q has %d bytes", host, len(v))
}

func parsePosition(v []byte) model.Position {
	return model.Position{Incarnation: model.Incarnation(binary.BigEndian.Uint64(v)), Sequence: binary.BigEndian.Uint64(v[8:])}
}

// Position implements store.Store.
func (s *Store) Position(ctx context.Context, host string) (p model.Position, err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	err = s.view(func(_ *bolt.DB, tx *bolt.Tx) error {
		if p, err = readPosition(tx, host); err != nil {
			return corrupt(s.path, err)
		}
		return nil
	})
	return p, err
}

// unknown are the documents of a request that have not come before. It moves the position
// of their host.
func (w *writer) unknown(r *request) ([]model.Document, error) {
	if r.batch.First == (model.Position{}) {
		return r.docs, nil
	}
	last, err := readPosition(w.tx, r.batch.Host)
	if err != nil {
		return nil, corrupt(w.store.path, err)
	}
	r.receipt = r.batch.After(last)
	if r.receipt.Last == last {
		return nil, nil
	}
	b, err := w.tx.CreateBucketIfNotExists(bucketPositions)
	if err != nil {
		return nil, err
	}
	w.store.touch(bucketPositions, []byte(r.batch.Host))
	return r.docs[r.receipt.Known:], b.Put([]byte(r.batch.Host), encodePosition(r.receipt.Last))
}
