package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/api"
	"cassini/manager/enroll"
	"cassini/manager/graph"
	"cassini/manager/rings/keeper"
	"cassini/manager/speakers"
	"cassini/manager/store"
	"cassini/model"
)

// tenantBackend answers a tenant's questions. What is the estate's as a whole it refuses.
type tenantBackend struct {
	m      *Manager
	tenant string
}

var _ api.Backend = tenantBackend{}

// errEstate says that something is not for tenants.
var errEstate = fmt.Errorf("%w: this is of the whole estate", enroll.ErrForbidden)

func (b tenantBackend) scope(ctx context.Context) (*scope, error) {
	return b.m.scopes.of(ctx, b.tenant)
}

// Graph implements api.Backend.
func (b tenantBackend) Graph(ctx context.Context, at time.Time) (*graph.Graph, error) {
	sc, err := b.scope(ctx)
	if err != nil || at.IsZero() {
		return graphOf(sc), err
	}
	return sc.past.graph(ctx, at, b.m.cfg.Now())
}

func graphOf(sc *scope) *graph.Graph {
	if sc == nil {
		return nil
	}
	return sc.graph
}

// Documents implements api.Backend.
func (b tenantBackend) Documents(ctx context.Context, f model.Name, at time.Time) ([]model.Document, error) {
	sc, err := b.scope(ctx)
	if err != nil {
		return nil, err
	}
	all, err := b.m.Documents(ctx, model.Name{Package: f.Package}, at)
	if err != nil {
		return nil, err
	}
	docs := []model.Document{}
	for _, d := range all {
		e, ok := sc.border.Pass(store.Entry{Key: store.NewKey(d.Time, d.Name), Document: d})
		if ok && !e.Document.Gone() && store.Filter(f).Match(e.Document.Name) {
			docs = append(docs, e.Document)
		}
	}
	slices.SortFunc(docs, func(a, b model.Document) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Package, b.Package), cmp.Compare(a.Key, b.Key))
	})
	return docs, nil
}

// Latest implements model.Sink.
func (b tenantBackend) Latest(ctx context.Context, host string) ([]model.Document, error) {
	return b.Documents(ctx, model.Name{Host: host}, time.Time{})
}

// History implements api.Backend.
func (b tenantBackend) History(ctx context.Context, f model.Name, before string, limit int) ([]api.LogEntry, error) {
	sc, err := b.scope(ctx)
	if err != nil {
		return nil, err
	}
	if at, err := store.Key(before).Time(); err == nil {
		before = string(store.Since(at)) // its name may be a mask
	}
	list := []api.LogEntry{}
	for e, err := range b.m.store.History(ctx, store.Filter{Package: f.Package}, store.Key(before)) {
		if errors.Is(err, store.ErrBadEntry) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read document log: %w", err)
		}
		e, ok := sc.border.Pass(e)
		if !ok || !store.Filter(f).Match(e.Document.Name) {
			continue
		}
		if list = append(list, api.LogEntry{LogKey: string(e.Key), Document: e.Document}); len(list) == limit {
			break
		}
	}
	return list, nil
}

// Log implements api.Backend.
func (b tenantBackend) Log(ctx context.Context, from, to time.Time, newest bool) iter.Seq2[api.LogEntry, error] {
	return func(yield func(api.LogEntry, error) bool) {
		sc, err := b.scope(ctx)
		if err != nil {
			yield(api.LogEntry{}, err)
			return
		}
		for e, err := range b.m.Log(ctx, from, to, newest) {
			if err != nil {
				yield(e, err)
				return
			}
			passed, ok := sc.border.Pass(store.Entry{Key: store.Key(e.LogKey), Document: e.Document})
			if ok && !yield(api.LogEntry{LogKey: string(passed.Key), Document: passed.Document}, nil) {
				return
			}
		}
	}
}

// Events implements api.Backend.
func (b tenantBackend) Events(ctx context.Context, since string) iter.Seq2[model.Event, error] {
	return func(yield func(model.Event, error) bool) {
		sc, err := b.scope(ctx)
		if err != nil {
			yield(model.Event{}, err)
			return
		}
		sc.eventsSince(ctx, since, yield)
	}
}

func (sc *scope) eventsSince(ctx context.Context, since string, yield func(model.Event, error) bool) {
	events, ok := sc.events.after(since)
	if !ok && since == "" {
		events, ok = sc.events.all(), true
	}
	if ok {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		return
	}
	sc.mu.Lock()
	until := sc.applied
	sc.mu.Unlock()
	_, err := sc.replayUntil(ctx, until, func(events []model.Event) bool {
		return !slices.ContainsFunc(events, func(e model.Event) bool { return e.ID > since && !yield(e, nil) })
	})
	if err != nil {
		yield(model.Event{}, err)
	}
}

// Watch implements api.Backend.
func (b tenantBackend) Watch(ctx context.Context, since string) api.EventStream {
	sc, err := b.scope(ctx)
	if err != nil {
		none := make(chan model.Event)
		close(none)
		failed := func(yield func(model.Event, error) bool) { yield(model.Event{}, err) }
		return api.EventStream{C: none, Close: func() {}, Slow: func() {}, Backlog: failed}
	}
	ch := sc.events.subscribe()
	s := api.EventStream{C: ch, Close: func() { sc.events.unsubscribe(ch) }, Slow: sc.events.slow}
	if since != "" {
		s.Backlog = func(yield func(model.Event, error) bool) { sc.eventsSince(ctx, since, yield) }
	}
	return s
}

// Refresh implements api.Backend.
func (b tenantBackend) Refresh(ctx context.Context, host string) error {
	var errs []error
	for _, name := range b.m.agents.of(host) {
		if b.m.enroll.TenantOf(name) == b.tenant {
			errs = append(errs, b.m.Refresh(ctx, name))
		}
	}
	return errors.Join(errs...)
}

// Rings implements api.Backend.
func (b tenantBackend) Rings(ctx context.Context) (v keeper.View, err error) {
	sc, err := b.scope(ctx)
	if err != nil {
		return v, err
	}
	whole, err := b.m.Rings(ctx)
	for _, r := range whole.Rings {
		if r, ok := sc.border.Ring(r); ok {
			v.Rings = append(v.Rings, r)
		}
	}
	for _, h := range whole.Hosts {
		if h, ok := sc.border.Host(h); ok {
			v.Hosts = append(v.Hosts, h)
		}
	}
	return v, err
}

// Acknowledge implements api.Backend.
func (b tenantBackend) Acknowledge(ctx context.Context, id string, ack *model.Ack) error {
	sc, err := b.scope(ctx)
	if err != nil {
		return err
	}
	return b.m.acknowledge(ctx, sight{sc.graph, b.tenant, sc.unmask}, id, ack)
}

// unmask is the incident of the estate that a tenant's is.
func (sc *scope) unmask(id string) string {
	if !strings.HasPrefix(id, "other-") {
		return id
	}
	for _, i := range sc.m.graph.Incidents(false) {
		for _, report := range i.Reports {
			real := fmt.Sprintf("%s/%d/%d", report.ID.Reporter, report.ID.Incarnation, report.ID.Sequence)
			if sc.border.Report(real) == id {
				return real
			}
		}
	}
	return id
}

// Silence implements api.Backend.
func (b tenantBackend) Silence(ctx context.Context, s model.Silence) (model.Silence, error) {
	s.Tenant = b.tenant
	return b.m.Silence(ctx, s)
}

// EndSilence implements api.Backend.
func (b tenantBackend) EndSilence(ctx context.Context, id string) (model.Silence, error) {
	sc, err := b.scope(ctx)
	if err != nil {
		return model.Silence{}, err
	}
	return b.m.endSilence(ctx, sc.graph.Silences(), id)
}

// What follows is the estate's, or of who needs no scope.

// Deliver implements model.Sink: no tenant's people speak for hosts.
func (b tenantBackend) Deliver(context.Context, model.Batch) (model.Receipt, error) {
	return model.Receipt{}, errEstate
}

// RegisterAgent implements api.Backend.
func (b tenantBackend) RegisterAgent(string, string) error { return errEstate }

// Join implements api.Backend.
func (b tenantBackend) Join(context.Context, model.Join) (*model.Joined, error) {
	return nil, errEstate
}

// Speaks implements api.Backend.
func (b tenantBackend) Speaks(context.Context, string, string) (speakers.Answer, error) {
	return speakers.Later, errEstate
}

// Introduce implements api.Backend.
func (b tenantBackend) Introduce(context.Context, string, model.Machine, netip.Addr) (speakers.Answer, error) {
	return speakers.Later, errEstate
}

// Refuse implements api.Backend.
func (b tenantBackend) Refuse(string, string, model.Machine, netip.Addr) {}

// Name implements api.Backend.
func (b tenantBackend) Name(context.Context, string, model.Machine) (string, error) {
	return "", errEstate
}

// Rotate implements api.Backend.
func (b tenantBackend) Rotate(context.Context) error { return errEstate }

// Forget implements api.Backend.
func (b tenantBackend) Forget(_ context.Context, host string) (model.Forgotten, error) {
	return model.Forgotten{Host: host}, errEstate
}

// Compact implements api.Backend.
func (b tenantBackend) Compact(context.Context) (model.Compacted, error) {
	return model.Compacted{}, errEstate
}

// Expel implements api.Backend.
func (b tenantBackend) Expel(context.Context, string) error { return errEstate }

// Backup implements api.Backend.
func (b tenantBackend) Backup(context.Context, io.Writer) error { return errEstate }

// Replayed implements api.Backend.
func (b tenantBackend) Replayed() bool { return b.m.Replayed() }

// Ready implements api.Backend.
func (b tenantBackend) Ready() error { return b.m.Ready() }

// AlertStats implements api.Backend.
func (b tenantBackend) AlertStats() []model.ReceiverStats { return nil }

// StoreStats implements api.Backend.
func (b tenantBackend) StoreStats() model.StoreStats { return model.StoreStats{} }

// GraphStats implements api.Backend.
func (b tenantBackend) GraphStats() model.GraphStats { return model.GraphStats{} }

// Tenant implements api.Backend: a tenant has none.
func (b tenantBackend) Tenant(string) api.Backend { return b }
