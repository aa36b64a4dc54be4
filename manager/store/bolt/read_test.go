package bolt

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"
)

// TestWalkWhileTheFileGrows lets the file be mapped elsewhere between two steps of a walk, which
// may keep nothing of where it was mapped before.
func TestWalkWhileTheFileGrows(t *testing.T) {
	for name, walk := range map[string]func(s *Store, until store.Key) iter.Seq2[store.Entry, error]{
		"range": func(s *Store, until store.Key) iter.Seq2[store.Entry, error] { return s.Range(t.Context(), "", until) },
		"chunks": func(s *Store, until store.Key) iter.Seq2[store.Entry, error] {
			return storetest.Chunks(t.Context(), s, "", until)
		},
		"latest": func(s *Store, _ store.Key) iter.Seq2[store.Entry, error] {
			return s.Latest(t.Context(), store.Filter{Host: "h"})
		},
		"history": func(s *Store, _ store.Key) iter.Seq2[store.Entry, error] {
			return s.History(t.Context(), store.Filter{Host: "h"}, "")
		},
		"history of one name": func(s *Store, _ store.Key) iter.Seq2[store.Entry, error] {
			return s.History(t.Context(), store.Filter{Host: "h", Package: "p", Key: "same"}, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(Config{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var docs []model.Document
			for i := range 2 * stepEntries {
				docs = append(docs, storetest.Doc("h", "p", fmt.Sprintf("k%04d", i), i), storetest.Doc("h", "p", "same", i))
			}
			keys, err := s.Append(t.Context(), docs)
			if err != nil {
				t.Fatal(err)
			}
			last := keys[len(keys)-1]
			want := collect(t, walk(s, last), func(int) {})
			got := collect(t, walk(s, last), func(n int) {
				if n == 1 { // a step has been read
					grow(t, s, n)
				}
			})
			if len(want) < 2*stepEntries || !slices.Equal(got, want) {
				t.Errorf("%d entries, then %d", len(want), len(got))
			}
		})
	}
}

// collect takes a walk to its end, and says after each entry how many there were.
func collect(t *testing.T, walk iter.Seq2[store.Entry, error], after func(n int)) (all []string) {
	t.Helper()
	for e, err := range walk {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s", e.Key, e.Document.Body))
		after(len(all))
	}
	return all
}

// grow makes the file larger than what is mapped of it.
func grow(t *testing.T, s *Store, n int) {
	t.Helper()
	before, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	text := json.RawMessage(`"` + strings.Repeat("x", model.MaxBodySize/2) + `"`)
	for i := uint64(0); i <= 2*before.FileBytes/model.MaxBodySize; i++ {
		doc := storetest.Doc("other", "p", fmt.Sprintf("%d-%d", n, i), n)
		doc.Body = text
		for range 2 {
			if _, err := s.Append(t.Context(), []model.Document{doc}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestWalksPast goes past more than one transaction may look at: while one lasts the file cannot
// be mapped anew, and writers wait.
func TestWalksPast(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	docs := []model.Document{storetest.Doc("h", "wanted", "first", 1)}
	for i := range stepLooks + 3 {
		docs = append(docs, storetest.Doc("h", "others", fmt.Sprintf("k%05d", i), i))
	}
	if _, err := s.Append(t.Context(), append(docs, storetest.Doc("i", "wanted", "last", 2))); err != nil {
		t.Fatal(err)
	}
	filter := store.Filter{Package: "wanted"}
	for name, walk := range map[string]iter.Seq2[store.Entry, error]{"latest": s.Latest(t.Context(), filter), "history": s.History(t.Context(), filter, "")} {
		before := s.db.Load().Stats().TxN
		if got := collect(t, walk, func(int) {}); len(got) != 2 {
			t.Errorf("%s: %d entries", name, len(got))
		}
		if steps := s.db.Load().Stats().TxN - before; steps < 2 {
			t.Errorf("%s: %d transactions", name, steps)
		}
	}
}
