package outbox

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"cassini/model"
)

// Bounds of the ledger.
const (
	maxThings = 100_000 // beyond it nothing is compared any more in this run
	maxKept   = 8 << 20 // bytes of bodies; beyond it only hashes are kept
)

// label is the name of a document without its host.
type label struct{ pkg, key string }

// mark stands for a label, which is larger than all else that is known of most things: of two
// labels one in 2^128 has the mark of the other.
type mark [2]uint64

// entry is what the agent said last of one thing.
type entry struct {
	hash    model.Hash
	kept    *kept // nil where it is not kept
	waiting int32 // documents of the thing that were not brought yet
	gone    bool  // it is forgotten, which the manager may not know yet
}

// kept is a document but for its host.
type kept struct {
	label
	time time.Time
	body []byte
}

// ledger is what this agent knows of its host, as the manager should have it: the hash of
// each document, and its body within a bound, so that what is lost can be sent again. It is
// made anew in each run, of what the manager remembers at its start and of what is said since.
type ledger struct {
	host    string
	seeds   [2]maphash.Seed // of marks
	entries map[mark]*entry
	digest  model.Digest // of the entries that are not gone
	kept    int          // bytes of bodies
	learnt  bool         // what the manager remembered is in it
	over    bool         // there were more things than maxThings
}

func newLedger() ledger {
	return ledger{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, entries: make(map[mark]*entry)}
}

// at is the mark of what a document is of.
func (l *ledger) at(pkg, key string) mark {
	of := label{pkg, key}
	return mark{maphash.Comparable(l.seeds[0], of), maphash.Comparable(l.seeds[1], of)}
}

// said notes a document that the agent says; waits, if it is on its way from here on.
func (l *ledger) said(doc model.Document, waits bool) {
	l.host = doc.Host
	if !model.Compared(doc.Package) {
		return
	}
	at := l.at(doc.Package, doc.Key)
	e := l.entries[at]
	if e == nil {
		if e = l.add(at); e == nil {
			return
		}
	} else {
		l.clear(e)
	}
	if waits {
		e.waiting++
	}
	if doc.Gone() {
		l.sweep(at, e)
		return
	}
	l.set(e, doc)
}

// add makes an entry of a thing that is gone so far; nil where there is no room.
func (l *ledger) add(at mark) *entry {
	if len(l.entries) >= maxThings {
		l.over = true
		return nil
	}
	e := &entry{gone: true}
	l.entries[at] = e
	return e
}

// set puts a document into an entry that is clear.
func (l *ledger) set(e *entry, doc model.Document) {
	e.hash, e.gone = model.HashOf(doc), false
	l.digest.Add(e.hash)
	if l.kept+len(doc.Body) <= maxKept {
		e.kept = &kept{label{doc.Package, doc.Key}, doc.Time, doc.Body}
		l.kept += len(doc.Body)
	}
}

// clear makes an entry one of a thing that is gone.
func (l *ledger) clear(e *entry) {
	if !e.gone {
		l.digest.Remove(e.hash)
	}
	if e.kept != nil {
		l.kept -= len(e.kept.body)
	}
	e.kept, e.gone = nil, true
}

// sweep lets go of an entry that tells nothing any more. Until the ledger has learnt what the
// manager remembers, it has to tell that this is no more.
func (l *ledger) sweep(at mark, e *entry) {
	if e.gone && e.waiting == 0 && l.learnt {
		delete(l.entries, at)
	}
}

// brought notes that a document is not on its way any more. What the manager refused it will
// not have.
func (l *ledger) brought(doc model.Document, refused bool) {
	at := l.at(doc.Package, doc.Key)
	e := l.entries[at]
	if e == nil {
		return
	}
	e.waiting = max(e.waiting-1, 0)
	if refused && e.waiting == 0 {
		l.clear(e)
	}
	l.sweep(at, e)
}

// learn takes in what the manager remembers, as far as the agent has not said otherwise: it
// is the agent's knowledge too, until it says that it is gone. It returns what the manager will
// remember once it has all that is on its way.
func (l *ledger) learn(remembered []model.Document) []model.Document {
	if l.learnt {
		return remembered
	}
	will := make([]model.Document, 0, len(remembered))
	for _, e := range l.entries {
		if !e.gone && e.kept != nil {
			will = append(will, l.document(e.kept))
		}
	}
	for _, doc := range remembered {
		at := l.at(doc.Package, doc.Key)
		if l.entries[at] != nil {
			continue
		}
		will = append(will, doc)
		if !model.Compared(doc.Package) || doc.Gone() {
			continue
		}
		if e := l.add(at); e != nil {
			l.set(e, doc)
		}
	}
	l.learnt = true
	for at, e := range l.entries {
		l.sweep(at, e)
	}
	slices.SortFunc(will, func(a, b model.Document) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Key, b.Key))
	})
	return will
}

// comparable says whether the digest is of all that the manager should have.
func (l *ledger) comparable() bool { return l.learnt && !l.over }

// difference is what has to be sent so that the manager has what the agent has.
type difference struct {
	docs                        []model.Document
	missing, changed, withdrawn int
	unkept                      int  // that should be sent and are not kept
	more                        bool // there was no room for all
}

// against compares with what the manager has, and finds so many documents at most. What is
// on its way is left alone.
func (l *ledger) against(theirs []model.DocumentHash, room int, now time.Time) (d difference) {
	there := make(map[mark]model.Hash, len(theirs))
	for _, t := range theirs {
		at := l.at(t.Package, t.Key)
		there[at] = t.Hash
		if e := l.entries[at]; (e == nil || e.gone && e.waiting == 0) && model.Compared(t.Package) {
			d.send(room, &d.withdrawn, model.Document{Name: l.name(label{t.Package, t.Key}), Time: now.UTC()})
		}
	}
	for at, e := range l.entries {
		hash, has := there[at]
		switch {
		case e.gone || e.waiting > 0 || has && hash == e.hash:
		case e.kept == nil:
			d.unkept++
		case has:
			d.send(room, &d.changed, l.document(e.kept))
		case isOver(l.document(e.kept)): // the manager withdraws that after a while
			l.clear(e)
			delete(l.entries, at)
		default:
			d.send(room, &d.missing, l.document(e.kept))
		}
	}
	return d
}

// isOver says whether a document tells that its thing has ended, as far as its body is kept.
func isOver(doc model.Document) bool {
	var body struct {
		State string `json:"state"`
	}
	if doc.Body == nil || doc.Decode(&body) != nil {
		return false
	}
	switch doc.Package {
	case model.PackageListeners:
		return body.State == model.StateEnded
	case model.PackageNetConfig:
		return body.State == model.InterfaceGone
	case model.PackageNeighbors:
		return body.State != model.NeighborPresent
	}
	return false
}

func (d *difference) send(room int, count *int, doc model.Document) {
	if len(d.docs) >= room {
		d.more = true
		return
	}
	*count++
	d.docs = append(d.docs, doc)
}

func (l *ledger) document(k *kept) model.Document {
	return model.Document{Name: l.name(k.label), Time: k.time, Body: k.body}
}

func (l *ledger) name(at label) model.Name {
	return model.Name{Host: l.host, Package: at.pkg, Key: at.key}
}
