package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
)

// rememberer is a manager that keeps the newest documents, and can lose them.
type rememberer struct {
	mu       sync.Mutex
	docs     map[label]model.Document
	last     model.Position
	agreed   bool
	away     bool
	lose     int // so many answers
	mute     bool
	compared int
	hashed   int // how often hashes were asked for
	empty    int // batches without documents
	taken    int // documents
}

func newRememberer() *rememberer { return &rememberer{docs: make(map[label]model.Document)} }

func (m *rememberer) Deliver(_ context.Context, b model.Batch) (r model.Receipt, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return r, errors.New("away")
	}
	if len(b.Documents) == 0 {
		m.empty++
	} else {
		r = b.After(m.last)
		m.last = r.Last
	}
	for _, d := range b.Documents[r.Known:] {
		m.taken++
		if d.Gone() {
			delete(m.docs, label{d.Package, d.Key})
		} else {
			m.docs[label{d.Package, d.Key}] = d
		}
	}
	if b.Check != nil && !m.mute && (b.Check.Wanted || r.Gap || !m.agreed) {
		m.compared++
		r.Compared, r.Differs = true, m.digest() != b.Check.Digest
		m.agreed = !r.Differs
	}
	if m.lose > 0 {
		m.lose--
		return model.Receipt{}, errors.New("the answer is lost")
	}
	return r, nil
}

func (m *rememberer) digest() (all model.Digest) {
	for _, d := range m.docs {
		if model.Compared(d.Package) {
			all.Add(model.HashOf(d))
		}
	}
	return all
}

func (m *rememberer) Hashes(context.Context, string) (list []model.DocumentHash, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hashed++
	for _, d := range m.docs {
		list = append(list, model.DocumentHash{Package: d.Package, Key: d.Key, Hash: model.HashOf(d)})
	}
	return list, nil
}

func (m *rememberer) Latest(context.Context, string) ([]model.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away {
		return nil, errors.New("away")
	}
	return slices.Collect(maps.Values(m.docs)), nil
}

// become changes the manager, as a restart in between may.
func (m *rememberer) become(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// figures are how often it was compared, asked for hashes, and asked without documents.
func (m *rememberer) figures() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fmt.Sprintf("%d compared, %d hashed, %d empty", m.compared, m.hashed, m.empty)
}

// telling is an agent: what is, and the outbox that tells it.
type telling struct {
	t     *testing.T
	m     *rememberer
	limit int
	path  string
	mu    sync.Mutex
	truth map[label]string
	box   *Outbox
	stop  func()
}

func newTelling(t *testing.T, m *rememberer, limit int) *telling {
	a := &telling{t: t, m: m, limit: limit, truth: make(map[label]string)}
	a.start(filepath.Join(t.TempDir(), "outbox.db"))
	return a
}

func (a *telling) start(path string) {
	a.t.Helper()
	box, err := New(Config{Sink: a.m, Path: path, Limit: a.limit, Logger: quiet(), Connected: func(context.Context, time.Duration) { a.recall() }})
	if err != nil {
		a.t.Fatal(err)
	}
	a.path, a.box = path, box
	a.stop = running(a.t, box)
	a.recall()
}

// recall asks what is remembered, and tells what differs from it, as the agent and its parts
// do once in each run.
func (a *telling) recall() {
	a.box.mu.Lock()
	learnt := a.box.ledger.learnt
	a.box.mu.Unlock()
	docs, err := a.m.Latest(context.Background(), "h")
	if err != nil || learnt {
		return
	}
	docs = a.box.Learn(docs)
	a.mu.Lock()
	defer a.mu.Unlock()
	told := make(map[label]string)
	for _, d := range docs {
		at := label{d.Package, d.Key}
		told[at] = string(d.Body)
		if a.truth[at] == "" {
			a.tell(at, "null")
		}
	}
	for at, body := range a.truth {
		if told[at] != body {
			a.tell(at, body)
		}
	}
}

func (a *telling) set(at label, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.truth[at] = body
	a.tell(at, body)
}

func (a *telling) forget(at label) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.truth, at)
	a.tell(at, "null")
}

func (a *telling) tell(at label, body string) {
	a.box.Put(model.Document{Name: model.Name{Host: "h", Package: at.pkg, Key: at.key}, Time: time.Now(), Body: []byte(body)})
}

// agree waits until the outbox has nothing to say, and compares both sides.
func (a *telling) agree(what string) {
	a.t.Helper()
	synctest.Wait()
	time.Sleep(5 * time.Minute)
	synctest.Wait()
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	has := make(map[label]string)
	for at, d := range a.m.docs {
		has[at] = string(d.Body)
	}
	if !maps.Equal(has, a.truth) {
		a.t.Fatalf("%s: the manager has %v, want %v; %+v", what, has, a.truth, a.box.Stats())
	}
}

func thing(i int) label { return label{model.PackageListeners, fmt.Sprint(i)} }

func bubble(t *testing.T, f func(t *testing.T, m *rememberer, a *telling)) {
	synctest.Test(t, func(t *testing.T) {
		m := newRememberer()
		a := newTelling(t, m, 50)
		defer func() { a.stop() }()
		for i := range 20 {
			a.set(thing(i), fmt.Sprint(i))
		}
		a.agree("at the beginning")
		f(t, m, a)
	})
}
