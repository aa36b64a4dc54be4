package graph

import (
	"hash/maphash"

	"cassini/manager/moment"
	"cassini/manager/table"
)

// runs are the runs of agents that dependencies were counted in, by number: an agent has many
// dependencies, and a number takes half the memory of a moment. 0 is that of none.
type runs struct {
	seed maphash.Seed
	list []run // by number
	free []uint32
	by   table.Table[uint32]
}

// run is since when one counts, and how many dependencies have it.
type run struct {
	at   moment.Moment
	refs int32
}

func newRuns() runs { return runs{seed: maphash.MakeSeed(), list: make([]run, 1)} }

// since is when a run began.
func (r *runs) since(number uint32) moment.Moment { return r.list[number].at }

// swap is the number of a run, in place of another that is let go; mostly it is the same.
func (r *runs) swap(old uint32, since moment.Moment) uint32 {
	if r.list[old].at == since {
		return old
	}
	fresh := r.hold(since)
	r.drop(old)
	return fresh
}

func (r *runs) hold(since moment.Moment) uint32 {
	if since.IsZero() {
		return 0
	}
	hash := maphash.Comparable(r.seed, since)
	number, known := r.by.Find(hash, func(n uint32) bool { return r.list[n].at == since })
	if !known {
		number = r.room()
		r.list[number].at = since
		r.by.Add(hash, number)
	}
	r.list[number].refs++
	return number
}

// room is a number that nobody has.
func (r *runs) room() uint32 {
	last := len(r.free) - 1
	if last < 0 {
		r.list = append(r.list, run{})
		return uint32(len(r.list) - 1)
	}
	number := r.free[last]
	r.free = r.free[:last]
	return number
}

func (r *runs) drop(number uint32) {
	one := &r.list[number]
	if number == 0 {
		return
	}
	if one.refs--; one.refs == 0 {
		r.by.Remove(maphash.Comparable(r.seed, one.at), func(n uint32) bool { return n == number })
		one.at = 0
		r.free = append(r.free, number)
	}
}
