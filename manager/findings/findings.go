// Package findings finds incidents in what documents tell: a service that is gone, a
// listener that is new, a client that stopped, an address that two machines claim, a cable
// that moved. It is conservative: what is not settled, what comes back soon, and what ended
// because its host did, is no incident.
//
// It is pure and deterministic: it is told of changes with the moment at which the manager
// received them, in the order of the document log, and waits by Advance, which is told
// the time. So a replay of the log finds the same.
package findings

import (
	"cmp"
	"container/heap"
	"time"

	"cassini/manager/incidents"
	"cassini/model"
)

// What is waited for. All are by the manager's clock.
const (
	// DefaultLearn is how long a host is known until a new listener is news.
	DefaultLearn = 24 * time.Hour
	Settled      = 10 * time.Minute // listened for so long, its end is news
	Grace        = time.Minute      // in which a service may come back
	AskingGrace  = 2 * time.Minute  // of UDP: an agent tells of a socket that asks first after a minute
	BootGrace    = 5 * time.Minute  // since the boot of its host, for services to come back
	Lasting      = time.Minute      // a new listener that ends sooner is none
	Together     = 15 * time.Second // services of one host that end are one incident
	Moving       = 5 * time.Minute  // cables of one switch that move are one incident

	// What nobody mends is taken for wanted in the end.
	Accepted = 7 * 24 * time.Hour
	Passing  = time.Hour        // what is no state is over after that
	Calm     = 15 * time.Minute // an address that is not claimed anew is no longer contested
)

// Up says whether a host is up, as far as is known.
type Up func(host string) bool

// Watch is safe for one goroutine. The zero value is not: use New.
type Watch struct {
	book    *incidents.Book
	learn   time.Duration
	up      Up
	waiting queue
	entries map[string]*entry
	refused map[string]bool   // nodes of hosts under whose names machines are refused
	told    []*model.Incident // since the last Take
}

// New makes a watch that keeps what it finds in a book. learn of 0 is DefaultLearn.
func New(book *incidents.Book, learn time.Duration, up Up) *Watch {
	return &Watch{book: book, learn: cmp.Or(learn, DefaultLearn), up: up, entries: make(map[string]*entry), refused: make(map[string]bool)}
}

// entry is something that happens at its time unless it is called off.
type entry struct {
	key  string
	due  time.Time
	do   func(w *Watch, e *entry, at time.Time)
	held bool // since its host is not up
	at   int  // in the queue
}

// wait does something later, in place of what waits under the same key.
func (w *Watch) wait(key string, due time.Time, do func(*Watch, *entry, time.Time)) {
	w.callOff(key)
	e := &entry{key: key, due: due, do: do}
	w.entries[key] = e
	heap.Push(&w.waiting, e)
}

func (w *Watch) callOff(key string) {
	if e := w.entries[key]; e != nil {
		delete(w.entries, key)
		heap.Remove(&w.waiting, e.at)
	}
}

// again puts off what is being done.
func (w *Watch) again(e *entry, due time.Time) {
	e.due = due
	w.entries[e.key] = e
	heap.Push(&w.waiting, e)
}

// Advance does what is due up to a time. It costs nothing when nothing is.
func (w *Watch) Advance(at time.Time) {
	for len(w.waiting) > 0 && !w.waiting[0].due.After(at) {
		e := heap.Pop(&w.waiting).(*entry)
		delete(w.entries, e.key)
		e.do(w, e, at)
	}
}

// Take hands out the incidents that began, ended or became more since it was last called.
func (w *Watch) Take() []*model.Incident {
	told := w.told
	w.told = nil
	return told
}

// find adds a finding, which is over after a time unless something ends it before.
func (w *Watch) find(f incidents.Finding, at time.Time, life time.Duration) {
	if i := w.book.Find(f, at); i != nil {
		w.told = append(w.told, i)
	}
	w.wait("end "+string(f.Kind)+" "+f.Subject, at.Add(life), func(w *Watch, e *entry, _ time.Time) {
		w.over(f.Kind, f.Subject, e.due)
	})
}

func (w *Watch) over(kind model.VerdictKind, subject string, at time.Time) {
	w.callOff("end " + string(kind) + " " + subject)
	if i := w.book.Over(kind, subject, at); i != nil {
		w.told = append(w.told, i)
	}
}

// queue is a heap by due time; entries of one moment are in the order of their keys, so
// that a replay does the same.
type queue []*entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if c := q[i].due.Compare(q[j].due); c != 0 {
		return c < 0
	}
	return q[i].key < q[j].key
}
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.at = len(*q)
	*q = append(*q, e)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return e
}
