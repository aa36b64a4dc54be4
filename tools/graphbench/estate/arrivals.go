package estate

import (
	"iter"
	"math/rand/v2"

	"cassini/model"
)

// Zone is what a host's agent says that it fails with: its switch.
func Zone(h int) string { return "switch:" + chassis(h) }

// arriving is how many hosts come at about the same time: what servers see of their new
// clients they tell once for all of these.
const arriving = 2000

// Arrivals are the documents of the same kinds and numbers as Documents, in the order of an
// estate that grows: databases first, and each host with all that it knows of itself. Behind
// a few hosts come those of the servers that they have become clients of. Each element is
// what one host sends at once, with its number, and whether it is there for the first time.
// An error is of encoding and ends them.
func (e Estate) Arrivals() iter.Seq2[Arrival, error] {
	return func(yield func(Arrival, error) bool) {
		r := rand.New(rand.NewPCG(e.Seed, uint64(e.Hosts)))
		a := arrivals{yield: yield, estate: e, told: make(map[string][]model.Document)}
		a.writer = writer{yield: a.take, now: Begin, more: true}
		for h := e.Hosts - 1; h >= 0 && a.more; h-- {
			a.self = e.Host(h)
			e.machine(&a.writer, h)
			e.listeners(&a.writer, h)
			e.dependencies(&a.writer, r, h)
			a.hand(Arrival{Host: h, First: true, Documents: a.own})
			if a.own = nil; h%arriving == 0 {
				a.flush()
			}
		}
	}
}

// Arrival is what one host sends at once.
type Arrival struct {
	Host      int
	First     bool
	Documents []model.Document
}

type arrivals struct {
	writer
	yield  func(Arrival, error) bool
	estate Estate
	self   string // who arrives
	own    []model.Document
	told   map[string][]model.Document // of others
	others []string                    // in the order in which they came
}

// take sorts a document to whom it is from.
func (a *arrivals) take(doc model.Document, err error) bool {
	switch {
	case err != nil:
		a.more = false
		return a.yield(Arrival{}, err)
	case doc.Host == a.self:
		a.own = append(a.own, doc)
	default:
		if a.told[doc.Host] == nil {
			a.others = append(a.others, doc.Host)
		}
		a.told[doc.Host] = append(a.told[doc.Host], doc)
	}
	return true
}

func (a *arrivals) hand(one Arrival) { a.more = a.more && a.yield(one, nil) }

// flush hands out what servers tell.
func (a *arrivals) flush() {
	for _, host := range a.others {
		a.hand(Arrival{Host: -1, Documents: a.told[host]})
	}
	clear(a.told)
	a.others = a.others[:0]
}
