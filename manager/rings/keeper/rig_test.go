package keeper

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
	"cassini/transport"
)

const patience = 20 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// life is a keeper that runs.
type life struct {
	*Keeper
	t    *testing.T
	log  *docLog
	stop func() error
}

// docLog is the manager's log: it fails as often as it is told to.
type docLog struct {
	mu    sync.Mutex
	docs  []model.Document
	fails int
}

func (l *docLog) keep(_ context.Context, docs []model.Document) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails > 0 {
		l.fails--
		return errors.New("the log is out of order")
	}
	l.docs = append(l.docs, docs...)
	return nil
}

// rings are the newest documents of rings, those that are gone too.
func (l *docLog) rings() map[string]model.Document {
	l.mu.Lock()
	defer l.mu.Unlock()
	newest := make(map[string]model.Document)
	for _, d := range l.docs {
		if d.Package == model.PackageRings {
			newest[d.Key] = d
		}
	}
	return newest
}

func (l *docLog) verdicts(t *testing.T) (list []model.Verdict) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.docs {
		if d.Package != model.PackageVerdicts {
			continue
		}
		var v model.Verdict
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

func config(dir string, log *docLog) Config {
	return Config{DataDir: dir, Host: "boss", Listen: loopback, Keep: log.keep, Logger: slog.New(slog.DiscardHandler)}
}

// live opens and runs a keeper.
func live(t *testing.T, dir string, edit ...func(*Config)) *life {
	t.Helper()
	log := &docLog{}
	cfg := config(dir, log)
	for _, do := range edit {
		do(&cfg)
	}
	k, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { _ = stop() })
	return &life{Keeper: k, t: t, log: log, stop: stop}
}

func (l *life) end() {
	l.t.Helper()
	if err := l.stop(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) view() View {
	l.t.Helper()
	v, err := l.View(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return v
}

// eventually waits until something holds of what is known.
func (l *life) eventually(what string, holds func(View) bool) View {
	l.t.Helper()
	var v View
	await(l.t, what, func() bool {
		v = l.view()
		return holds(v)
	})
	return v
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

func (v View) host(name string) (h model.HostLiveness) {
	for _, h := range v.Hosts {
		if h.Host == name {
			return h
		}
	}
	return h
}

// epochs are those of all rings.
func (v View) epochs() map[model.RingID]model.Epoch {
	m := make(map[model.RingID]model.Epoch)
	for _, r := range v.Rings {
		m[r.ID] = r.Epoch
	}
	return m
}

// settled says that every place was acknowledged.
func settled(v View) bool { return v.Pending == 0 && v.Untold == 0 }

// agent is a host with an endpoint, which acknowledges places and answers probes unless
// it is told not to.
type agent struct {
	*transport.Endpoint
	t    *testing.T
	join model.Join

	mu       sync.Mutex
	manager  model.RingMember
	silent   bool
	told     []*model.Assignment
	heard    []wire.Message
	answered *model.Joined
}

func newAgent(t *testing.T, name, zone string, incarnation model.Incarnation) *agent {
	t.Helper()
	nonces := transport.NewNonces(uint64(incarnation)<<30, time.Unix(0, 0), func(uint64) error { return nil })
	e, err := transport.Open(transport.Config{Host: name, Incarnation: incarnation, Listen: loopback, Nonces: nonces, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{Endpoint: e, t: t, join: model.Join{RingMember: model.RingMember{Host: name, Zone: zone, Addr: e.Addr(), Incarnation: incarnation}}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, a) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return a
}

// joins joins a keeper, and makes its keys known.
func (a *agent) joins(k *Keeper) *model.Joined {
	a.t.Helper()
	joined, err := k.Join(a.t.Context(), a.join)
	if err != nil {
		a.t.Fatal(err)
	}
	a.learn(joined)
	return joined
}

func (a *agent) learn(joined *model.Joined) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.Put(joined.Ring, joined.Keys)
	a.manager, a.answered = joined.Manager, joined
	for _, place := range joined.Assignments {
		a.Put(place.Ring, place.Keys)
		a.ack(place)
	}
}

func (a *agent) ack(place *model.Assignment) {
	if !a.silent {
		_ = a.Send(model.ManagerRing(a.join.Host), a.manager, wire.Message{Type: wire.Ack, Ring: place.Ring, Epoch: place.Epoch})
	}
}

// Receive implements transport.Handler.
func (a *agent) Receive(ring model.RingID, from model.RingMember, m wire.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch m.Type {
	case wire.Instruction:
		a.told = append(a.told, m.Assignment)
		a.ack(m.Assignment)
	case wire.Probe:
		if !a.silent {
			_ = a.Send(ring, from, wire.Message{Type: wire.ProbeAnswer, ID: m.ID})
		}
	default:
		a.heard = append(a.heard, m)
	}
}

// Refused implements transport.Handler.
func (a *agent) Refused(netip.AddrPort) {}

// Echoed implements transport.Handler.
func (a *agent) Echoed(netip.Addr) {}

// Reflected implements transport.Handler.
func (a *agent) Reflected(transport.Reflection) {}

func (a *agent) places() []*model.Assignment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.told)
}

func (a *agent) shut(silent bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silent = silent
}

// crashed is a report of another host's, which a third one confirms, that a host has died.
func crashed(reporter string, sequence uint64, subject model.RingMember) model.Document {
	v := model.Verdict{
		ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: sequence}, Kind: model.VerdictCrashed, Subject: subject, At: time.Now().UTC(),
		Evidence: model.Evidence{Observations: []model.Observation{{Observer: reporter, Sight: model.SightNothing}, {Observer: "h99", Sight: model.SightNothing}}},
	}
	doc, err := model.VerdictDocument(v, reporter)
	if err != nil {
		panic(err) // of plain values
	}
	return doc
}

// onDisk is what a life that has ended left.
func onDisk(t *testing.T, dir string) kept {
	t.Helper()
	d, err := openDisk(dir + "/" + FileName)
	if err != nil {
		t.Fatal(err)
	}
	k, err := d.load()
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	return k
}

// consistent holds what is on disk against the rules of rings.
func consistent(t *testing.T, k kept) {
	t.Helper()
	on := make(map[string]map[model.RingID]int) // level of each ring that a host is on
	for _, r := range k.rings {
		for _, host := range r.Order {
			if on[host] == nil {
				on[host] = make(map[model.RingID]int)
			}
			if _, twice := on[host][r.ID]; twice {
				t.Errorf("%s is twice on %s", host, r.ID)
			}
			on[host][r.ID] = r.Level
		}
	}
	for _, h := range k.hosts {
		if got, want := slices.Sorted(slices.Values(h.Rings)), slices.Sorted(maps.Keys(on[h.Host])); !slices.Equal(got, want) {
			t.Errorf("%s believes to be on %v, and is on %v", h.Host, got, want)
		}
		levels := make(map[int]int)
		for _, level := range on[h.Host] {
			if levels[level]++; levels[level] > 1 {
				t.Errorf("%s is on two rings of level %d: %v", h.Host, level, on[h.Host])
			}
		}
		delete(on, h.Host)
	}
	for host := range on {
		t.Errorf("%s is on rings and not known", host)
	}
}
