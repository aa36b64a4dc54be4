package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"cassini/model"
)

// numbered is a batch of host h from a position on.
func numbered(life, first, n int) model.Batch {
	b := model.Batch{Host: "h", First: model.Position{Incarnation: model.Incarnation(life), Sequence: uint64(first)}}
	for i := range n {
		b.Documents = append(b.Documents, Doc("h", "p", fmt.Sprint(life), first+i))
	}
	return b
}

// testDeliver delivers what a network can make of a stream: each document counts once,
// whatever of it comes again, and what never came is noticed.
func testDeliver(t *testing.T, e *engine) {
	at := func(life, sequence int) model.Position {
		return model.Position{Incarnation: model.Incarnation(life), Sequence: uint64(sequence)}
	}
	for _, step := range []struct {
		name  string
		batch model.Batch
		want  model.Receipt
		added int
	}{
		{"first", numbered(5, 1, 3), model.Receipt{Last: at(5, 3)}, 3},
		{"again, since the answer was lost", numbered(5, 1, 3), model.Receipt{Last: at(5, 3), Known: 3}, 0},
		{"again, with more", numbered(5, 2, 4), model.Receipt{Last: at(5, 5), Known: 2}, 2},
		{"next", numbered(5, 6, 1), model.Receipt{Last: at(5, 6)}, 1},
		{"one is missing", numbered(5, 8, 2), model.Receipt{Last: at(5, 9), Gap: true}, 2},
		{"it comes too late", numbered(5, 7, 1), model.Receipt{Last: at(5, 9), Known: 1}, 0},
		{"the next life", numbered(6, 1, 1), model.Receipt{Last: at(6, 1)}, 1},
		{"of the life before", numbered(5, 10, 1), model.Receipt{Last: at(6, 1), Known: 1}, 0},
		{"a life that begins later", numbered(7, 2, 1), model.Receipt{Last: at(7, 2), Gap: true}, 1},
		{"not numbered", model.Batch{Host: "h", Documents: numbered(0, 0, 2).Documents}, model.Receipt{}, 2},
		{"empty", model.Batch{Host: "h", First: at(7, 9)}, model.Receipt{}, 0},
	} {
		before := len(bodies(t, e.Range(t.Context(), "", "")))
		got, err := e.Deliver(t.Context(), step.batch)
		if err != nil || got != step.want {
			t.Errorf("%s: got %+v, %v, want %+v", step.name, got, err, step.want)
		}
		if added := len(bodies(t, e.Range(t.Context(), "", ""))) - before; added != step.added {
			t.Errorf("%s: %d entries more, want %d", step.name, added, step.added)
		}
		e.reopen(t)
	}
	if p, err := e.Position(t.Context(), "h"); err != nil || p != at(7, 2) {
		t.Errorf("position is %v, %v", p, err)
	}
	if p, err := e.Position(t.Context(), "other"); err != nil || p != (model.Position{}) {
		t.Errorf("position of another is %v, %v", p, err)
	}
	bad := numbered(7, 3, 2)
	bad.Documents[1].Package = ""
	if _, err := e.Deliver(t.Context(), bad); !errors.Is(err, model.ErrInvalidDocument) {
		t.Errorf("got %v", err)
	}
	if p, _ := e.Position(t.Context(), "h"); p != at(7, 2) {
		t.Errorf("a refused batch moved the position to %v", p)
	}
}

// testDeliverTogether delivers one batch many times at once: one of them counts.
func testDeliverTogether(t *testing.T, e *engine) {
	const times = 16
	known := make(chan int, times)
	var all sync.WaitGroup
	for range times {
		all.Go(func() {
			r, err := e.Deliver(t.Context(), numbered(1, 1, 10))
			if err != nil {
				t.Error(err)
			}
			known <- r.Known
		})
	}
	all.Wait()
	sum := 0
	for range times {
		sum += <-known
	}
	if n := len(bodies(t, e.Range(t.Context(), "", ""))); n != 10 || sum != (times-1)*10 {
		t.Errorf("%d entries, %d were known", n, sum)
	}
}
