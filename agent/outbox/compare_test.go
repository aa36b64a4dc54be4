package outbox

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

// TestNothingLostNothingAsked: the usual case costs nothing beside the deliveries.
func TestNothingLostNothingAsked(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		for i := range 30 {
			a.set(thing(i%5), fmt.Sprint("again", i))
			a.agree("a change")
		}
		if got := m.figures(); got != "1 compared, 0 hashed, 0 empty" {
			t.Error(got)
		}
		if s := a.box.Stats().Compared; s.Compared != 1 || s.Differed != 0 || s.Known != 20 || !s.Comparable || s.Kept == 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestManagerLosesDocuments: a manager that is started again without some of its documents, and
// with some that are no more, gets exactly what differs.
func TestManagerLosesDocuments(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		a.forget(thing(9))
		a.agree("one is gone")
		before := 0
		m.become(func() {
			before = m.taken
			m.agreed = false
			delete(m.docs, thing(3))
			delete(m.docs, thing(4))
			d := m.docs[thing(5)]
			d.Body = []byte(`"old"`)
			m.docs[thing(5)] = d
			d.Name.Key = "9"
			m.docs[thing(9)] = d
		})
		a.set(thing(0), `"a change"`)
		a.agree("after the loss")
		if m.taken != before+5 {
			t.Errorf("%d documents were sent, want the change and 4", m.taken-before)
		}
		if s := a.box.Stats().Compared; s.Missing != 2 || s.Changed != 1 || s.Withdrawn != 1 || s.Differed != 1 || s.Compared != 3 {
			t.Errorf("%+v", s)
		}
		if got := m.figures(); got != "3 compared, 1 hashed, 0 empty" {
			t.Error(got)
		}
	})
}

// TestWhatIsOverIsNotToldAgain: a manager withdraws what ended long ago, and the agent lets go
// of it when they compare, so that they agree from then on.
func TestWhatIsOverIsNotToldAgain(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		over := map[label]string{thing(30): `{"state":"ended"}`, {model.PackageNetConfig, "veth7"}: `{"state":"gone"}`, {model.PackageNeighbors, "eth0"}: `{"state":"silent"}`}
		for at, body := range over {
			a.set(at, body)
		}
		a.set(thing(31), `{"state":"listening"}`)
		a.agree("told")
		before := 0
		m.become(func() {
			m.agreed = false
			for at := range over {
				delete(m.docs, at)
			}
			delete(m.docs, thing(31)) // that was lost
			before = m.taken
		})
		for at := range over {
			delete(a.truth, at)
		}
		a.set(thing(0), `"a change"`)
		a.agree("withdrawn")
		if m.taken != before+2 {
			t.Errorf("%d documents were sent, want the change and what was lost", m.taken-before)
		}
		hashed := m.hashed
		m.become(func() { m.agreed = false })
		a.set(thing(0), `"another"`)
		a.agree("later")
		if m.hashed != hashed {
			t.Error("they do not agree")
		}
	})
}

// TestManagerIsPutBack to what it was, with positions that leave a gap.
func TestManagerIsPutBack(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		backup, last := maps.Clone(m.docs), m.last
		for i := range 10 {
			a.set(thing(10+i*2), fmt.Sprint("since", i))
		}
		a.forget(thing(1))
		a.agree("since the backup")
		m.become(func() { m.docs, m.last, m.agreed = maps.Clone(backup), last, true })
		a.set(thing(0), `"a change"`)
		a.agree("a delivery shows the gap")
		m.become(func() { m.docs, m.last, m.agreed = maps.Clone(backup), last, false })
		a.box.Doubt() // as the rings tell
		a.agree("nothing is delivered")
		if m.empty == 0 {
			t.Error("there was something to deliver after all")
		}
	})
}

// TestAgentIsPutBack to what it was, with its machine: what it told since is not so any more.
func TestAgentIsPutBack(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		m.become(func() {
			for i := range 10 {
				m.docs[thing(i)] = model.Document{Name: model.Name{Host: "h", Package: model.PackageListeners, Key: thing(i).key}, Body: []byte(`"since"`)}
			}
			delete(m.docs, thing(19))
			m.last = model.Position{Incarnation: m.last.Incarnation + 1, Sequence: 11}
		})
		a.set(thing(0), `"a change"`)
		a.agree("a delivery shows that")
	})
}

// TestOverflow: what found no room in the outbox is sent when there is room.
func TestOverflow(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		m.become(func() { m.away = true })
		for i := range 200 {
			a.set(thing(i), fmt.Sprint("while away", i))
		}
		synctest.Wait()
		if a.box.Stats().Dropped["full"] == 0 {
			t.Fatal("nothing was dropped")
		}
		m.become(func() { m.away = false })
		a.agree("the manager is back")
	})
}

// TestDataDirectoryLost begins with nothing but what the manager remembers.
func TestDataDirectoryLost(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		m.become(func() { m.away = true })
		a.set(thing(3), `"lost with the outbox"`)
		a.stop()
		m.become(func() { m.away = false })
		a.start(filepath.Join(t.TempDir(), "outbox.db"))
		a.agree("with an empty directory")
		if got := a.box.Stats().Compared.Differed; got != 0 {
			t.Errorf("%d differences, although all was known", got)
		}
	})
}

// TestOutboxOfBefore: what an earlier run left in the outbox is not taken back by what the
// manager remembers from before it.
func TestOutboxOfBefore(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		m.become(func() { m.away = true })
		a.forget(thing(3))
		a.set(thing(4), `"new"`)
		synctest.Wait()
		a.stop()
		remembered := slices.Collect(maps.Values(m.docs))
		path := a.path
		box, err := New(Config{Sink: m, Path: path, Limit: 50, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		a.box, a.stop = box, running(t, box)
		will := box.Learn(remembered)
		if len(will) != 19 || slices.ContainsFunc(will, func(d model.Document) bool {
			return d.Key == "3" || d.Key == "4" && string(d.Body) != `"new"`
		}) {
			t.Errorf("once it has what waits, the manager remembers %v", will)
		}
		m.become(func() { m.away, m.agreed = false, false })
		a.agree("the manager is back")
		if got := box.Stats().Compared; got.Compared != 1 || got.Differed != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// TestLostWithoutATrace: nothing tells that something is lost, and within two days it is found
// with deliveries that are made anyway.
func TestLostWithoutATrace(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		m.become(func() { delete(m.docs, thing(7)) })
		for range 40 {
			time.Sleep(time.Hour)
			a.set(thing(0), fmt.Sprint(time.Now().Unix()))
		}
		a.agree("after 40 hours")
		if m.empty != 0 {
			t.Errorf("%d deliveries for nothing", m.empty)
		}
	})
}

// TestManagerThatDoesNotCompare is one of before: it is asked once and left alone.
func TestManagerThatDoesNotCompare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRememberer()
		m.mute = true
		a := newTelling(t, m, 50)
		defer a.stop()
		a.box.Doubt()
		for i := range 20 {
			a.set(thing(i), fmt.Sprint(i))
			a.agree("a change")
		}
		if m.empty > 1 || m.hashed != 0 {
			t.Error(m.figures())
		}
	})
}

// TestDisagreesForEver: a manager that never has what it is sent is left alone after a while,
// and others' packages are never touched.
func TestDisagreesForEver(t *testing.T) {
	bubble(t, func(t *testing.T, m *rememberer, a *telling) {
		other := label{"of a script", "x"}
		m.become(func() {
			m.docs[other] = model.Document{Name: model.Name{Host: "h", Package: other.pkg, Key: other.key}, Body: []byte("1")}
			m.agreed = false
		})
		a.truth[other] = "1"
		a.set(thing(1), `"x"`)
		a.agree("another's document")
		if m.hashed != 0 {
			t.Error(m.figures())
		}
		end := time.Now().Add(time.Hour)
		var all sync.WaitGroup
		all.Go(func() { // another agent of the same name
			for time.Now().Before(end) {
				m.become(func() {
					d := m.docs[thing(2)]
					d.Body = []byte(`"another's"`)
					m.docs[thing(2)] = d
				})
				time.Sleep(time.Millisecond)
			}
		})
		a.box.Doubt()
		all.Wait()
		if m.hashed > 3*maxRounds {
			t.Error(m.figures())
		}
	})
}

// TestNotKept: what is beyond what is kept is counted, and holds nothing up.
func TestNotKept(t *testing.T) {
	l := newLedger()
	l.learn(nil)
	big := make([]byte, maxKept/2)
	for i := range 3 {
		l.said(model.Document{Name: model.Name{Host: "h", Package: model.PackageOS, Key: fmt.Sprint(i)}, Body: big}, false)
	}
	d := l.against(nil, 100, time.Now())
	if d.missing != 2 || d.unkept != 1 || l.kept != maxKept {
		t.Errorf("%d missing, %d not kept, %d bytes", d.missing, d.unkept, l.kept)
	}
	for i := range 3 {
		l.said(model.Document{Name: model.Name{Host: "h", Package: model.PackageOS, Key: fmt.Sprint(i)}}, false)
	}
	if l.kept != 0 || len(l.entries) != 0 || l.digest != (model.Digest{}) {
		t.Errorf("%d bytes, %d entries, %+v", l.kept, len(l.entries), l.digest)
	}
	for i := range maxThings + 1 {
		l.said(model.Document{Name: model.Name{Host: "h", Package: model.PackageOS, Key: fmt.Sprint(i)}, Body: []byte("1")}, false)
	}
	if l.comparable() || len(l.entries) != maxThings {
		t.Errorf("%d things", len(l.entries))
	}
}

// TestRandomLosses lets both sides lose what they can, in any order: when it is quiet, both
// have the same.
func TestRandomLosses(t *testing.T) {
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 6))
			m := newRememberer()
			a := newTelling(t, m, 30)
			defer func() { a.stop() }()
			backup, last := map[label]model.Document{}, model.Position{}
			for range 150 {
				switch r.IntN(16) {
				case 0:
					m.become(func() { m.away = true })
				case 1, 2:
					m.become(func() { m.away = false })
				case 3:
					m.become(func() { m.lose += r.IntN(3) })
				case 4:
					m.become(func() { backup, last = maps.Clone(m.docs), m.last })
				case 5:
					m.become(func() { m.docs, m.last, m.agreed = maps.Clone(backup), last, false })
				case 6:
					m.become(func() {
						maps.DeleteFunc(m.docs, func(label, model.Document) bool { return r.IntN(4) == 0 })
						m.agreed = false
					})
				case 7:
					m.become(func() { m.docs, m.last, m.agreed = map[label]model.Document{}, model.Position{}, false })
				case 8: // starts again, perhaps with an empty directory
					a.stop()
					time.Sleep(time.Millisecond) // lives are numbered by the clock
					path := a.path
					if r.IntN(2) == 0 {
						path = filepath.Join(t.TempDir(), "outbox.db")
					}
					a.start(path)
				case 9:
					time.Sleep(rand.N(3 * time.Minute))
				case 10:
					a.forget(thing(r.IntN(40)))
				default:
					for range r.IntN(12) {
						a.set(thing(r.IntN(40)), fmt.Sprint(r.IntN(1000)))
					}
				}
				if r.IntN(3) == 0 {
					synctest.Wait()
				}
			}
			m.become(func() { m.away, m.lose = false, 0 })
			time.Sleep(2 * time.Hour) // rounds that failed are given up for that long
			a.set(thing(0), `"the last word"`)
			a.agree(fmt.Sprint("seed ", seed))
		})
	}
}
