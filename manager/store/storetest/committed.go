package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

// listening is what Committed told: the commits joined where each names the entry before.
type listening struct {
	t       *testing.T
	begun   bool
	newest  store.Key
	entries []store.Entry
	durable func() []store.Entry
}

func (l *listening) hear(before store.Key, entries []store.Entry) {
	if l.begun && before != l.newest {
		l.t.Errorf("a commit comes behind %q, the one before it ended with %q", before, l.newest)
	}
	l.begun, l.newest = true, entries[len(entries)-1].Key
	l.entries = append(l.entries, entries...)
	log := l.durable()
	if len(log) == 0 || log[len(log)-1].Key != l.newest {
		l.t.Errorf("%q was told and is not in the log", l.newest)
	}
}

func testCommitted(t *testing.T, e *engine) {
	all := func() (list []store.Entry) {
		for entry, err := range e.Range(context.Background(), "", "") {
			if err != nil {
				t.Error(err)
			}
			list = append(list, entry)
		}
		return list
	}
	e.append(t, Doc("h", "p", "before", 0))
	first := all()[0].Key
	told := &listening{t: t, durable: all}
	e.options.Committed = told.hear
	e.reopen(t)
	odd := Doc("h", "p", "<ü>", 1)
	odd.Time = time.Now() // with a monotonic part
	e.append(t, odd, Doc("h", "p", "b", 1))
	if _, err := e.Append(t.Context(), []model.Document{Doc("", "p", "c", 1)}); err == nil {
		t.Error("taken")
	}
	for range 2 {
		if _, err := e.Deliver(t.Context(), numbered(5, 1, 3)); err != nil {
			t.Error(err)
		}
	}
	var together sync.WaitGroup
	for i := range 8 {
		together.Go(func() {
			if _, err := e.Append(context.Background(), []model.Document{Doc("h", "p", fmt.Sprint(i), i)}); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	want := all()
	if want[0].Key != first || len(told.entries) != len(want)-1 {
		t.Fatalf("%d entries were told, %d are new in the log", len(told.entries), len(want)-1)
	}
	for i, got := range told.entries {
		a, err := json.Marshal(got)
		b, other := json.Marshal(want[i+1])
		if err != nil || other != nil || string(a) != string(b) || got.Document.Time != got.Document.Time.Round(0) {
			t.Errorf("told %s, the log has %s", a, b)
		}
	}
	e.reopen(t)
	e.append(t, Doc("h", "p", "after", 1)) // names the last one of the life before
}
