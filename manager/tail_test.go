package manager

import (
	"context"
	"encoding/json"
	"testing"

	"cassini/manager/store"
	"cassini/model"
)

func entries(size int, keys ...store.Key) (list []store.Entry) {
	for _, k := range keys {
		list = append(list, store.Entry{Key: k, Document: model.Document{Body: json.RawMessage(make([]byte, size))}})
	}
	return list
}

func TestTail(t *testing.T) {
	for _, c := range []struct {
		name  string
		add   func(t *tail)
		after store.Key
		want  string // keys
		ok    bool
	}{
		{"nothing was committed so far", func(*tail) {}, "", "", false},
		{"all", func(t *tail) { t.add("1", entries(1, "2", "3")); t.add("3", entries(1, "4")) }, "1", "234", true},
		{"of an empty log", func(t *tail) { t.add("", entries(1, "2")) }, "", "2", true},
		{"a part was read from the log", func(t *tail) { t.add("1", entries(1, "2", "3")) }, "2", "3", true},
		{"all was read from the log", func(t *tail) { t.add("1", entries(1, "2", "3")) }, "3", "", true},
		{"all was taken", func(t *tail) { t.add("1", entries(1, "2", "3")); t.take("1") }, "3", "", true},
		{"somebody else took it", func(t *tail) { t.add("1", entries(1, "2", "3")); t.take("1") }, "1", "", false},
		{"there is something before it", func(t *tail) { t.add("1", entries(1, "2")) }, "0", "", false},
		{"there was no room", func(t *tail) { t.add("1", entries(maxTail/2+1, "2", "3")) }, "1", "", false},
		{"there was no room before", func(t *tail) { t.add("1", entries(maxTail/2+1, "2", "3")); t.add("3", entries(1, "4")) }, "1", "", false},
		{"there is room again", func(t *tail) { t.add("1", entries(maxTail/2+1, "2", "3")); t.add("3", entries(1, "4")) }, "3", "4", true},
	} {
		var q tail
		c.add(&q)
		list, ok := q.take(c.after)
		got := ""
		for _, e := range list {
			got += string(e.Key)
		}
		if got != c.want || ok != c.ok || q.size != 0 {
			t.Errorf("%s: %q, %v", c.name, got, ok)
		}
	}
}

// thief is a store of which the graph never hears what was committed.
type thief struct {
	store.Store
	tail *tail
}

func (s thief) Deliver(ctx context.Context, b model.Batch) (model.Receipt, error) {
	r, err := s.Store.Deliver(ctx, b)
	s.tail.take("")
	return r, err
}

// TestGraphReadsWhatItMissed has the graph find in the log what nobody handed it.
func TestGraphReadsWhatItMissed(t *testing.T) {
	r := start(t, t.TempDir())
	whole := r.store
	for i := range 6 {
		if r.store = whole; i%2 == 0 {
			r.store = thief{whole, &r.tail}
		}
		if err := r.Accept(t.Context(), []model.Document{listener("h", "x", uint16(i+1), model.StateListening)}); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.graph.Neighbourhood(model.ServiceID("h", "x", "tcp", uint16(i+1), ""), 0); !ok {
			t.Errorf("the graph does not have %d", i+1)
		}
	}
	if stats := r.graph.Stats(); stats.Documents != 6 {
		t.Errorf("%d documents were applied", stats.Documents)
	}
	if stats := r.StoreStats(); stats.Reread != 0 {
		t.Errorf("%d entries found no room", stats.Reread)
	}
}
