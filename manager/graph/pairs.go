package graph

import "cassini/manager/table"

// pairs are the pairs of a client and a service that an event told of, each as long as there
// is a dependency behind it. Mostly there is one.
type pairs struct {
	by   table.Table[uint32] // the part of a number that is no hash
	more map[uint64]uint32   // how many dependencies there are beyond the first
}

// add puts a dependency behind a pair; fresh when it is the first one there.
func (p *pairs) add(pair uint64) (fresh bool) {
	if _, known := p.by.Find(pair, isPair(pair)); !known {
		p.by.Add(pair, uint32(pair))
		return true
	}
	if p.more == nil {
		p.more = make(map[uint64]uint32)
	}
	p.more[pair]++
	return false
}

// drop takes a dependency from behind a pair; 0 is none.
func (p *pairs) drop(pair uint64) {
	switch more := p.more[pair]; {
	case pair == 0:
	case more > 1:
		p.more[pair]--
	case more == 1:
		delete(p.more, pair)
	default:
		p.by.Remove(pair, isPair(pair))
	}
}

func (p *pairs) count() int { return p.by.Len() }

func isPair(pair uint64) func(uint32) bool { return func(n uint32) bool { return n == uint32(pair) } }
