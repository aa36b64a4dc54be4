package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"cassini/manager/store"
)

// Chunks walks the log by Read, in one chunk.
func Chunks(ctx context.Context, s store.Store, after, until store.Key) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		var c store.Chunk
		for {
			if err := s.Read(ctx, after, until, &c); err != nil {
				yield(store.Entry{}, err)
				return
			}
			for _, e := range c.Entries {
				if !yield(e, nil) {
					return
				}
			}
			if after = c.Last; after == "" {
				return
			}
		}
	}
}

// testRead reads what Range does, of which all but bodies stays good.
func testRead(t *testing.T, e *engine) {
	equal(t, "of nothing", bodies(t, Chunks(t.Context(), e, "", "")))
	var keys []store.Key
	for i := range 700 {
		e.advance(time.Millisecond)
		host, large := fmt.Sprintf("h%d", i/3), Doc("other", "q", "", i)
		if i%100 == 0 {
			large.Body = fmt.Appendf(nil, `"%s"`, bytes.Repeat([]byte("x"), 300<<10))
		}
		keys = append(keys, e.append(t, Doc(host, "p", fmt.Sprint(i), i), Doc(host, "p", "", i), large)...)
	}
	for _, bounds := range [][2]store.Key{{"", ""}, {keys[9], keys[1999]}, {keys[1], keys[1]}, {keys[len(keys)-1], ""}, {"", keys[0]}} {
		sameAsRange(t, e, bounds[0], bounds[1])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Read(ctx, "", "", new(store.Chunk)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func sameAsRange(t *testing.T, e *engine, after, until store.Key) {
	t.Helper()
	var want, kept []store.Entry
	for one, err := range e.Range(t.Context(), after, until) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, one)
	}
	for one, err := range Chunks(t.Context(), e, after, until) {
		if err != nil || len(kept) == len(want) || !bytes.Equal(one.Document.Body, want[len(kept)].Document.Body) {
			t.Fatalf("entry %d of %d behind %q until %q is %s, %v", len(kept), len(want), after, until, one.Key, err)
		}
		kept = append(kept, one)
	}
	if len(kept) != len(want) {
		t.Fatalf("%d entries of %d behind %q until %q", len(kept), len(want), after, until)
	}
	for i, got := range kept {
		if got.Key != want[i].Key || got.Document.Name != want[i].Document.Name || !got.Document.Time.Equal(want[i].Document.Time) {
			t.Fatalf("%s of %v was %s of %v", got.Key, got.Document.Name, want[i].Key, want[i].Document.Name)
		}
	}
}
