package manager

import (
	"slices"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

// own are the newest documents of a package of managers, by the host under whose name they stand.
func (r *running) own(pkg string) (hosts []string) {
	r.t.Helper()
	for e, err := range r.store.Latest(r.t.Context(), store.Filter{Package: pkg}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if !e.Document.Gone() {
			hosts = append(hosts, e.Document.Host)
		}
	}
	return hosts
}

// TestManagerMoves goes on with a log under another host name: what it said stays, also when the host
// that it was on is forgotten, and ends when it is ended.
func TestManagerMoves(t *testing.T) {
	dir := t.TempDir()
	on := func(host string) *running {
		return start(t, dir, func(c *Config) { c.Host, c.ForgetAfter = host, 0 })
	}
	old := on("old")
	now := time.Now()
	silence := func(subject string) model.Silence {
		s, err := old.Silence(t.Context(), model.Silence{Subject: subject, By: "ann", At: now, Until: now.Add(time.Hour), Why: "work"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stays, ends := silence("db-*"), silence("web-*")
	i := old.crash("db-1")
	if err := old.Acknowledge(t.Context(), i.ID, &model.Ack{By: "ann", At: now}); err != nil {
		t.Fatal(err)
	}
	if err := old.Accept(t.Context(), []model.Document{listener("old", "sshd", 22, model.StateListening)}); err != nil {
		t.Fatal(err)
	}
	if err := old.stop(); err != nil {
		t.Fatal(err)
	}
	moved := on("new")
	if got := append(moved.own(model.PackageSilences), moved.own(model.PackageAcks)...); len(got) != 3 || got[0] != "new" || got[1] != "new" || got[2] != "new" {
		t.Errorf("they are of %v", got)
	}
	if _, err := moved.EndSilence(t.Context(), ends.ID); err != nil {
		t.Fatal(err)
	}
	if err := moved.Acknowledge(t.Context(), i.ID, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := moved.Forget(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as it goes on, and after another start
		for _, s := range moved.graph.Silences() {
			if s.Holds(time.Now()) != (s.ID == stays.ID) {
				t.Errorf("the silence of %s holds: %v", s.Subject, s.Holds(time.Now()))
			}
		}
		if n := len(moved.graph.Silences()); n != 2 || moved.graph.Incidents(true)[0].Ack != nil {
			t.Errorf("%d silences, taken on by %+v", n, moved.graph.Incidents(true)[0].Ack)
		}
		if err := moved.stop(); err != nil {
			t.Fatal(err)
		}
		moved = on("new")
	}
	if got := moved.own(model.PackageAcks); len(got) != 0 {
		t.Errorf("an acknowledgement that was taken back is there, of %v", got)
	}
}

// TestManagerMovesToNoRoom goes on where nothing can be written: it starts, and takes over what it said
// at a start when there is room.
func TestManagerMovesToNoRoom(t *testing.T) {
	dir := t.TempDir()
	on := func(host string, size int64) *running {
		return start(t, dir, func(c *Config) { c.Host, c.Retention.MaxSize = host, size })
	}
	room, none := DefaultRetention().MaxSize, int64(1)
	m, now := on("old", room), time.Now()
	if _, err := m.Silence(t.Context(), model.Silence{Subject: "db-*", By: "ann", At: now, Until: now.Add(time.Hour), Why: "work"}); err != nil {
		t.Fatal(err)
	}
	for _, next := range []struct {
		size int64
		of   string
	}{{none, "old"}, {room, "new"}} {
		if err := m.stop(); err != nil {
			t.Fatal(err)
		}
		m = on("new", next.size)
		if got := m.own(model.PackageSilences); !slices.Equal(got, []string{next.of}) {
			t.Errorf("with room for %d bytes the silence is of %v, want %s", next.size, got, next.of)
		}
	}
}

// TestManagerMovesBack goes to another host name and back: what it said comes along both times, and what it
// ended there does not come to life again.
func TestManagerMovesBack(t *testing.T) {
	dir := t.TempDir()
	on := func(host string) *running {
		return start(t, dir, func(c *Config) { c.Host = host })
	}
	m, now := on("first"), time.Now()
	stays, err := m.Silence(t.Context(), model.Silence{Subject: "db-*", By: "ann", At: now, Until: now.Add(time.Hour), Why: "work"})
	if err != nil {
		t.Fatal(err)
	}
	kept, ended := m.crash("db-1"), m.crash("db-2")
	for _, i := range []model.Incident{kept, ended} {
		if err := m.Acknowledge(t.Context(), i.ID, &model.Ack{By: "ann", At: now}); err != nil {
			t.Fatal(err)
		}
	}
	for _, host := range []string{"second", "first", "second"} {
		if err := m.stop(); err != nil {
			t.Fatal(err)
		}
		m = on(host)
		if err := m.Acknowledge(t.Context(), ended.ID, nil); err != nil {
			t.Fatal(err)
		}
		if got := append(m.own(model.PackageSilences), m.own(model.PackageAcks)...); !slices.Equal(got, []string{host, host}) {
			t.Errorf("on %s: they are of %v", host, got)
		}
		if list := m.graph.Silences(); len(list) != 1 || list[0].ID != stays.ID || !list[0].Holds(time.Now()) {
			t.Errorf("on %s: silences %+v", host, list)
		}
		if acks := m.graph.Acks(); len(acks) != 1 || acks[kept.ID].By != "ann" {
			t.Errorf("on %s: taken on: %+v", host, acks)
		}
	}
}
