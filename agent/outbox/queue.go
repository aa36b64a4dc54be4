package outbox

import (
	"encoding/json"
	"errors"

	"cassini/model"
)

// Bounds of one batch: a manager takes bodies of 8 MiB.
const (
	batchSize  = 1000
	batchBytes = 4 << 20
)

// item is a document that waits, and where it stands. What an older Cassini left in the
// spool has no place.
type item struct {
	at  model.Position
	doc model.Document
}

// next is the longest batch that items begin with: places follow one another, and it is
// not too large.
func next(items []item) model.Batch {
	if len(items) == 0 {
		return model.Batch{}
	}
	b := model.Batch{Host: items[0].doc.Host, First: items[0].at}
	size := 0
	for i, it := range items {
		follows := it.at == model.Position{} && b.First == model.Position{} || it.at == b.First.Plus(i)
		size += len(it.doc.Body) + len(it.doc.Key)
		if i == batchSize || i > 0 && (!follows || size > batchBytes || it.doc.Host != b.Host) {
			break
		}
		b.Documents = append(b.Documents, it.doc)
	}
	return b
}

// numbering gives documents their places.
type numbering struct {
	last model.Position // that was given
	sent uint64         // the highest sequence of this life that was ever sent
}

func (n *numbering) give() model.Position {
	n.last.Sequence++
	return n.last
}

// given says that numbers were given before that the manager tells of: it has no more than
// this outbox gave it. Else somebody else numbers documents of this host, or this
// machine was put back to what it was earlier, and what the manager took for known is not.
func (n *numbering) given(b model.Batch, r model.Receipt) bool {
	if b.First == (model.Position{}) || r.Last == (model.Position{}) {
		return true // an older manager counts nothing
	}
	if r.Last.Compare(n.last) > 0 {
		return false
	}
	newest := b.First.Sequence + uint64(r.Known) - 1 // of those that were known
	return r.Known == 0 || b.First.Incarnation != n.last.Incarnation || newest <= n.sent
}

// noteSent remembers that a batch is on its way.
func (n *numbering) noteSent(b model.Batch) {
	if last := b.Last(); last.Incarnation == n.last.Incarnation {
		n.sent = max(n.sent, last.Sequence)
	}
}

// errNumbers says that a batch has to be sent with other numbers.
var errNumbers = errors.New("the manager has documents of this host that this agent did not number: this machine was put back to an earlier state, or another has its name; numbering anew")

func decodeItem(key, raw []byte) (item, error) {
	it := item{at: parseKey(key)}
	return it, json.Unmarshal(raw, &it.doc)
}
