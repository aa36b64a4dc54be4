package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

func testThins(t *testing.T, e *engine) {
	n := 0
	put := func(p bool) {
		n++
		d := Doc("h", "p", "a", n)
		d.Progress = p
		e.append(t, d)
	}
	put(false) // 1
	put(true)  // 2: begins a row
	e.advance(time.Minute)
	put(true) // 3 replaces 2
	e.advance(store.ProgressWindow)
	put(true) // 4: the row began more than the window ago
	put(true) // 5 replaces 4
	put(false)
	e.reopen(t)
	put(true) // 7 begins a row: 6 is no progress
	e.reopen(t)
	put(true) // 8 replaces 7
	want := []string{`h/p/a={"n":1}`, `h/p/a={"n":3}`, `h/p/a={"n":5}`, `h/p/a={"n":6}`, `h/p/a={"n":8}`}
	equal(t, "log", bodies(t, e.Range(t.Context(), "", "")), want...)
	equal(t, "history", bodies(t, e.History(t.Context(), store.Filter{Host: "h", Package: "p", Key: "a"}, "")),
		want[4], want[3], want[2], want[1], want[0])
	if s, err := e.Stats(); err != nil || s.Documents != 5 || s.Thinned != 1 {
		t.Errorf("stats %+v, %v", s, err)
	}
}

// expire appends until retention has had the time to look at everything.
func (e *engine) expire(t *testing.T) {
	for i := range 20 {
		e.append(t, Doc("filler", "p", "x", i))
	}
}

func testExpires(t *testing.T, e *engine) {
	e.append(t, Doc("h", "p", "a", 1), Doc("h", "p", "b", 1))
	e.advance(time.Minute)
	e.append(t, Doc("h", "p", "a", 2))
	e.advance(time.Minute)
	e.append(t, Doc("h", "p", "a", 3))
	e.advance(time.Hour - time.Minute) // a=2 was superseded a minute after the period's begin
	e.expire(t)
	equal(t, "history", bodies(t, e.History(t.Context(), store.Filter{Host: "h"}, "")),
		`h/p/a={"n":3}`, `h/p/a={"n":2}`, `h/p/b={"n":1}`)
	e.reopen(t)
	e.advance(2 * time.Hour)
	e.append(t, Doc("h", "p", "a", 4))
	e.expire(t)
	equal(t, "later", bodies(t, e.History(t.Context(), store.Filter{Host: "h"}, "")),
		`h/p/a={"n":4}`, `h/p/a={"n":3}`, `h/p/b={"n":1}`)
	s, err := e.Stats()
	if err != nil || s.Expired == 0 || s.Names != 3 {
		t.Errorf("stats %+v, %v", s, err)
	}
	n := uint64(len(bodies(t, e.Range(t.Context(), "", ""))))
	if s.Documents != n {
		t.Errorf("counted %d entries, there are %d", s.Documents, n)
	}
}

func testForgetsGone(t *testing.T, e *engine) {
	gone := func(key string) model.Document {
		d := Doc("h", "p", key, 0)
		d.Body = nil
		return d
	}
	e.append(t, Doc("h", "p", "a", 1), gone("a"), Doc("h", "p", "b", 1), gone("b"), Doc("h", "p", "b", 2))
	equal(t, "at first", bodies(t, e.Latest(t.Context(), store.Filter{})), `h/p/a=null`, `h/p/b={"n":2}`)
	e.advance(2 * time.Hour)
	e.expire(t)
	equal(t, "names", bodies(t, e.Latest(t.Context(), store.Filter{Host: "h"})), `h/p/b={"n":2}`)
	equal(t, "log", bodies(t, e.History(t.Context(), store.Filter{Host: "h"}, "")), `h/p/b={"n":2}`)
	e.append(t, Doc("h", "p", "a", 3))
	equal(t, "came back", bodies(t, e.History(t.Context(), store.Filter{Host: "h", Package: "p", Key: "a"}, "")), `h/p/a={"n":3}`)
}

// testForgetsHost wants nothing left of a host whose things are all forgotten, and all of
// another that has one thing left.
func testForgetsHost(t *testing.T, e *engine) {
	for _, host := range []string{"h", "other"} {
		b := numbered(5, 1, 2)
		b.Host = host
		for i := range b.Documents {
			b.Documents[i].Host, b.Documents[i].Key = host, fmt.Sprint(i)
		}
		if _, err := e.Deliver(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	gone := func(host, key string) model.Document {
		d := Doc(host, "p", key, 0)
		d.Body = nil
		return d
	}
	e.append(t, gone("h", "0"), gone("h", "1"), gone("other", "0"))
	at := func(host string) model.Position {
		p, err := e.Position(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if at("h") == (model.Position{}) {
		t.Error("the position went before the past did")
	}
	e.advance(2 * time.Hour)
	e.expire(t)
	if p := at("h"); p != (model.Position{}) {
		t.Errorf("of a host that is forgotten the position stays: %v", p)
	}
	if p := at("other"); p == (model.Position{}) {
		t.Error("the position of a host went that has something left")
	}
	equal(t, "names", bodies(t, e.Latest(t.Context(), store.Filter{Host: "h"})))
	if _, err := e.Deliver(t.Context(), numbered(5, 1, 1)); err != nil || at("h") == (model.Position{}) {
		t.Errorf("it does not come back: %v", err)
	}
}

func testConcurrent(t *testing.T, e *engine) {
	const writers, each = 16, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			var last store.Key
			for i := range each {
				keys, err := e.Append(t.Context(), []model.Document{Doc("h", "p", fmt.Sprint(w), i), Doc("h", "p", fmt.Sprint(w), i)})
				if err != nil || keys[0] <= last || keys[1] <= keys[0] {
					t.Errorf("keys %v after %s, %v", keys, last, err)
					return
				}
				last = keys[1]
			}
		})
	}
	wg.Wait()
	if n := len(bodies(t, e.Range(t.Context(), "", ""))); n != 2*writers*each {
		t.Errorf("%d entries, want %d", n, 2*writers*each)
	}
}

func testAppendWhileWalked(t *testing.T, e *engine) {
	for i := range 600 {
		e.append(t, Doc("h", "p", "a", i))
	}
	n := 0
	for _, err := range e.Range(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			e.append(t, Doc("h", "p", "b", 1))
		}
	}
	if n != 601 {
		t.Errorf("walked %d entries, want 601 with the one that came meanwhile", n)
	}
}

func testClosed(t *testing.T, e *engine) {
	e.append(t, Doc("h", "p", "a", 1))
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Append(t.Context(), []model.Document{Doc("h", "p", "a", 1)}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	for _, err := range e.Range(t.Context(), "", "") {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("range: %v", err)
		}
	}
	if err := e.Read(t.Context(), "", "", new(store.Chunk)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("read: %v", err)
	}
}

func testSecondOpen(t *testing.T, e *engine) {
	_, err := e.open(e.options)
	if !errors.Is(err, store.ErrLocked) {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
}
