package alerts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/model"
)

var t0 = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// estate is a source whose incidents tests change.
type estate struct {
	mu   sync.Mutex
	list map[string]model.Incident
	asOf time.Time
}

func newEstate() *estate { return &estate{list: make(map[string]model.Incident), asOf: t0} }

func (e *estate) Incidents(context.Context) (list []model.Incident, asOf time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, i := range e.list {
		list = append(list, i)
	}
	return list, e.asOf, true
}

func (e *estate) Affected(context.Context, model.Incident) *model.Affected {
	return &model.Affected{Services: 1, First: []string{"service:app/app:1"}}
}

// put changes an incident, a second later each time.
func (e *estate) put(id string, edit ...func(*model.Incident)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asOf = e.asOf.Add(time.Second)
	i, ok := e.list[id]
	if !ok {
		i = model.Incident{ID: id, Kind: model.IncidentServiceGone, Severity: model.SeverityWarning, State: model.IncidentOpen, Opened: e.asOf, Cause: "service:web/" + id,
			Subjects: []string{"service:web/" + id + ":80"}, Summary: id + " is gone"}
	}
	i.Changed = e.asOf
	for _, f := range edit {
		f(&i)
	}
	e.list[id] = i
}

func (e *estate) over(id string) {
	e.put(id, func(i *model.Incident) { i.State, i.Closed = model.IncidentClosed, i.Changed })
}

func (e *estate) drop(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.list, id)
}

// pager is a receiver that remembers what it took, and fails where it is told to.
type pager struct {
	repeat time.Duration
	mu     sync.Mutex
	took   []string
	fail   func(id string) error
	tries  int
}

// count is how often it was told, in vain or not.
func (p *pager) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries
}

func (*pager) Name() string            { return "pager" }
func (*pager) Key() string             { return "pager-1" }
func (*pager) Tenant() string          { return "" }
func (*pager) Batch() int              { return 1 }
func (p *pager) Repeat() time.Duration { return p.repeat }
func (*pager) Close()                  {}

func (p *pager) Send(_ context.Context, notices []Notice, _ time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range notices {
		p.tries++
		if p.fail != nil {
			if err := p.fail(n.Incident.ID); err != nil {
				return err
			}
		}
		word := n.Status + " " + n.Incident.ID
		if n.Again {
			word = "again " + word
		}
		p.took = append(p.took, word)
	}
	return nil
}

// taken is what it took since it was last asked.
func (p *pager) taken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.Join(p.took, ", ")
	p.took = nil
	return text
}

var errAway = errors.New("nobody answers")

func away(string) error { return errAway }

// life is one life of the process: its deliveries are driven by hand.
type life struct {
	*Alerts
	t   *testing.T
	now time.Time
}

func begin(t *testing.T, dir string, e *estate, p Receiver) *life {
	t.Helper()
	l := &life{t: t, now: t0.Add(time.Hour)}
	a, err := open(Config{Dir: dir, Source: e, Now: func() time.Time { return l.now }}, []Receiver{p})
	if err != nil {
		t.Fatal(err)
	}
	l.Alerts = a
	return l
}

func (l *life) end() {
	l.t.Helper()
	if err := l.Close(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) pass() { l.deliveries[0].pass(l.t.Context()) }

func expect(t *testing.T, when, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: took %q, want %q", when, got, want)
	}
}

func one(l *life) model.ReceiverStats { return l.Stats()[0] }

func ids(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("i%02d", i))
	}
	return list
}
