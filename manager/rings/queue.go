package rings

import (
	"container/heap"
	"time"
)

// queue orders instructions by when they are due. One that was acknowledged, replaced or put
// off stays in it until its old time comes, and is then left out.
type queue []queued

type queued struct {
	due time.Time
	at  place
	of  *instruction
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *queue) Push(x any) { *q = append(*q, x.(queued)) }

// Pop is heap.Interface's.
func (q *queue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	(*q)[last] = queued{}
	*q = (*q)[:last]
	return x
}

func (q *queue) push(at place, p *instruction) { heap.Push(q, queued{p.due, at, p}) }

// wait makes a host's place known to it, instead of what it was to be told before.
func (r *Rings) wait(at place, p *instruction) {
	r.pending[at] = p
	r.queue.push(at, p)
	if len(r.queue) > 2*len(r.pending)+crowd {
		r.tidy()
	}
}

// crowd is how many that are out of date may always be in the queue.
const crowd = 1024

// tidy makes the queue anew, of what is pending.
func (r *Rings) tidy() {
	q := make(queue, 0, len(r.pending))
	for at, p := range r.pending {
		q = append(q, queued{p.due, at, p})
	}
	heap.Init(&q)
	r.queue = q
}

// holds says whether what is in the queue is still so.
func (r *Rings) holds(q queued) bool { return r.pending[q.at] == q.of && q.due.Equal(q.of.due) }

// soonest is when the next place has to be told; zero when none has.
func (r *Rings) soonest() time.Time {
	for len(r.queue) > 0 {
		if first := r.queue[0]; r.holds(first) {
			return first.due
		}
		heap.Pop(&r.queue)
	}
	return time.Time{}
}

// atOnce bounds what is told in one go, which is all in memory before any of it is sent. The
// rest is due yet.
const atOnce = 512

// due takes out of the queue the places that have to be told now, the first of them.
func (r *Rings) due(now time.Time) (list []place) {
	for next := r.soonest(); !next.IsZero() && !now.Before(next) && len(list) < atOnce; next = r.soonest() {
		list = append(list, heap.Pop(&r.queue).(queued).at)
	}
	return list
}
