// Package storetest is the suite that every engine of manager/store passes, and kills
// processes for tests of what they leave.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

// Options are what the suite sets on an engine.
type Options struct {
	Dir    string
	MaxAge time.Duration // 0 is the engine's default
	Now    func() time.Time
	// Committed hears of commits.
	Committed store.Committed
}

// Open opens an engine.
type Open func(Options) (store.Store, error)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, f := range map[string]func(*testing.T, *engine){
		"KeysIncrease":      testKeysIncrease,
		"RefusesInvalid":    testRefusesInvalid,
		"SurvivesReopening": testSurvivesReopening,
		"Latest":            testLatest,
		"Range":             testRange,
		"Read":              testRead,
		"History":           testHistory,
		"Thins":             testThins,
		"Expires":           testExpires,
		"ForgetsGone":       testForgetsGone,
		"Concurrent":        testConcurrent,
		"AppendWhileWalked": testAppendWhileWalked,
		"Closed":            testClosed,
		"SecondOpen":        testSecondOpen,
		"ForgetsHost":       testForgetsHost,
		"Deliver":           testDeliver,
		"DeliverTogether":   testDeliverTogether,
		"Committed":         testCommitted,
	} {
		t.Run(name, func(t *testing.T) {
			e := &engine{open: open, now: time.Date(2026, 11, 20, 19, 26, 3, 123456000, time.UTC)}
			e.options = Options{Dir: t.TempDir(), MaxAge: time.Hour, Now: e.clock}
			e.reopen(t)
			t.Cleanup(func() { _ = e.Close() })
			f(t, e)
		})
	}
}

// engine is a store with a clock that the test moves.
type engine struct {
	store.Store
	open    Open
	options Options
	mu      sync.Mutex
	now     time.Time
}

func (e *engine) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *engine) advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

func (e *engine) reopen(t *testing.T) {
	t.Helper()
	if e.Store != nil {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if e.Store, err = e.open(e.options); err != nil {
		t.Fatal(err)
	}
}

// Doc is a small valid document.
func Doc(host, pkg, key string, n int) model.Document {
	return model.Document{
		Name: model.Name{Host: host, Package: pkg, Key: key},
		Time: time.Date(2026, 11, 20, 19, 26, 3, 0, time.UTC),
		Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n)),
	}
}

func (e *engine) append(t *testing.T, docs ...model.Document) []store.Key {
	t.Helper()
	keys, err := e.Append(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != len(docs) {
		t.Fatalf("%d keys for %d documents", len(keys), len(docs))
	}
	return keys
}

// bodies collects a sequence as "key of the document=body".
func bodies(t *testing.T, seq iter.Seq2[store.Entry, error]) []string {
	t.Helper()
	got := []string{}
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Document.Host+"/"+e.Document.Package+"/"+e.Document.Key+"="+string(e.Document.Body))
	}
	return got
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func testKeysIncrease(t *testing.T, e *engine) {
	var last store.Key
	for i, step := range []time.Duration{0, 0, time.Second, -time.Hour, 0, 2 * time.Hour} {
		e.advance(step)
		for _, k := range e.append(t, Doc("h", "p", "a", i), Doc("h", "p", "b", i)) {
			if k <= last {
				t.Errorf("key %s after %s", k, last)
			}
			last = k
		}
		e.reopen(t)
	}
	if at, err := last.Time(); err != nil || !at.Equal(e.clock().Add(time.Microsecond)) {
		t.Errorf("last key %s, %v, with the clock at %v", last, err, e.clock())
	}
}

func testRefusesInvalid(t *testing.T, e *engine) {
	_, err := e.Append(t.Context(), []model.Document{Doc("h", "p", "a", 1), Doc("", "p", "a", 1)})
	if !errors.Is(err, model.ErrInvalidDocument) {
		t.Errorf("got %v", err)
	}
	equal(t, "log", bodies(t, e.Range(t.Context(), "", "")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Append(ctx, []model.Document{Doc("h", "p", "a", 1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func testSurvivesReopening(t *testing.T, e *engine) {
	d := Doc("h", "p", "a", 1)
	d.Body = json.RawMessage(`{"text":"<ü>","deep":[{"x":null}]}`)
	keys := e.append(t, d)
	before, err := e.Stats()
	if err != nil {
		t.Fatal(err)
	}
	e.reopen(t)
	for got, err := range e.Range(t.Context(), "", "") {
		if err != nil || got.Key != keys[0] || got.Document.Name != d.Name || !got.Document.Time.Equal(d.Time) {
			t.Errorf("got %+v, %v", got, err)
		}
		var a, b any
		if json.Unmarshal(got.Document.Body, &a) != nil || json.Unmarshal(d.Body, &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("body is %s", got.Document.Body)
		}
	}
	after, err := e.Stats()
	if err != nil || after.Documents != 1 || after.Names != 1 || before.Appended != 1 || after.Appended != 0 {
		t.Errorf("stats before %+v, after %+v, %v", before, after, err)
	}
}

func testLatest(t *testing.T, e *engine) {
	e.append(t, Doc("h", "p", "a", 1), Doc("h", "p", "b", 1), Doc("h2", "p", "a", 1), Doc("h", "q", "", 1))
	e.append(t, Doc("h", "p", "a", 2))
	equal(t, "all", bodies(t, e.Latest(t.Context(), store.Filter{})),
		`h/p/a={"n":2}`, `h/p/b={"n":1}`, `h/q/={"n":1}`, `h2/p/a={"n":1}`)
	equal(t, "host", bodies(t, e.Latest(t.Context(), store.Filter{Host: "h2"})), `h2/p/a={"n":1}`)
	equal(t, "package", bodies(t, e.Latest(t.Context(), store.Filter{Package: "q"})), `h/q/={"n":1}`)
	equal(t, "key", bodies(t, e.Latest(t.Context(), store.Filter{Host: "h", Key: "b"})), `h/p/b={"n":1}`)
}

func testRange(t *testing.T, e *engine) {
	var keys []store.Key
	var want []string
	for i := range 2000 {
		e.advance(time.Millisecond)
		keys = append(keys, e.append(t, Doc("h", "p", fmt.Sprint(i%3), i))...)
		want = append(want, fmt.Sprintf(`h/p/%d={"n":%d}`, i%3, i))
	}
	equal(t, "all", bodies(t, e.Range(t.Context(), "", "")), want...)
	equal(t, "part", bodies(t, e.Range(t.Context(), keys[9], keys[1999-7])), want[10:1999-6]...)
	at, err := keys[5].Time()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "until a moment", bodies(t, e.Range(t.Context(), "", store.Until(at))), want[:6]...)
	for range e.Range(t.Context(), "", "") {
		break // a walk may be left
	}
}

func testHistory(t *testing.T, e *engine) {
	var keys []store.Key
	var all, one []string
	for i := range 1500 {
		keys = append(keys, e.append(t, Doc("h", "p", fmt.Sprint(i%2), i), Doc("other", "p", "1", i))...)
		all = append([]string{fmt.Sprintf(`h/p/%d={"n":%d}`, i%2, i)}, all...)
		if i%2 == 1 {
			one = append([]string{all[0]}, one...)
		}
	}
	equal(t, "host", bodies(t, e.History(t.Context(), store.Filter{Host: "h"}, "")), all...)
	name := store.Filter{Host: "h", Package: "p", Key: "1"}
	equal(t, "name", bodies(t, e.History(t.Context(), name, "")), one...)
	equal(t, "name before", bodies(t, e.History(t.Context(), name, keys[len(keys)-2])), one[1:]...)
	equal(t, "host before", bodies(t, e.History(t.Context(), store.Filter{Host: "h"}, keys[len(keys)-2])), all[1:]...)
	equal(t, "nobody", bodies(t, e.History(t.Context(), store.Filter{Host: "h", Package: "p", Key: "9"}, "")))
}
