package simulator

import (
	"container/heap"
	"time"
)

// event is something that happens at a time. Those of one time happen in the order in
// which they were made.
type event struct {
	at  time.Time
	seq uint64
	do  func()
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if a[i].at.Equal(a[j].at) {
		return a[i].seq < a[j].seq
	}
	return a[i].at.Before(a[j].at)
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push is heap.Interface's.
func (a *agenda) Push(x any) { *a = append(*a, x.(event)) }

// Pop is heap.Interface's.
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*a = old[:len(old)-1]
	return e
}

// clock is virtual time.
type clock struct {
	now    time.Time
	seq    uint64
	agenda agenda
}

func (c *clock) at(t time.Time, do func()) {
	if t.Before(c.now) {
		t = c.now
	}
	c.seq++
	heap.Push(&c.agenda, event{t, c.seq, do})
}

func (c *clock) after(d time.Duration, do func()) { c.at(c.now.Add(d), do) }

// run lets time pass.
func (c *clock) run(until time.Time) {
	for len(c.agenda) > 0 && !c.agenda[0].at.After(until) {
		e := heap.Pop(&c.agenda).(event)
		c.now = e.at
		e.do()
	}
	c.now = until
}
