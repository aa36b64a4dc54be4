// Package keeper runs the manager's side of the rings (package rings) on a UDP socket and
// keeps it on disk: what is told to anybody was durable before.
package keeper

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"cassini/manager/rings"
	"cassini/model"
	"cassini/transport"
)

// FileName of the rings in the data directory.
const FileName = "rings.db"

// Config is what New needs.
type Config struct {
	DataDir string
	Host    string         // this machine; documents of rings bear its name
	Listen  netip.AddrPort // UDP
	Addr    netip.Addr     // that agents are told, if valid, instead of where the socket is bound
	Profile model.Profile  // of new rings; zero is the standard one
	// Rotation is for how long a ring's keys are in use, more or less; 0 is until Rotate.
	Rotation time.Duration
	Limit    int // of hosts; 0 is rings.DefaultLimit
	// Tenant is whose a host is, for no ring has hosts of two; nil where there are none.
	Tenant func(host string) string
	// Local says that an agent of this machine runs in the same process.
	Local bool
	// Ready is closed when hosts may be told their places again that an earlier life has told,
	// which of a large estate takes a while. Nil is at once.
	Ready <-chan struct{}
	// Keep brings documents into the manager's log.
	Keep   func(ctx context.Context, docs []model.Document) error
	Logger *slog.Logger
}

// ErrClosed says that the keeper has ended.
var ErrClosed = errors.New("the manager of rings has ended")

// Keeper is safe for concurrent use. Run is called once.
type Keeper struct {
	cfg      Config
	disk     *disk
	endpoint *transport.Endpoint
	self     model.RingMember
	rings    *rings.Rings // the loop's
	inputs   chan func(now time.Time)
	done     chan struct{}

	// What a round of the loop has to send once it is durable.
	changed changes
	out     []func()
	docs    []model.Document
	untold  map[model.Name]int // documents on their way into the log

	queue outgoing
}

// View is what the keeper shows: a copy of one moment.
type View struct {
	Rings   []model.RingHealth
	Hosts   []model.HostLiveness
	Pending int // places that were not acknowledged yet
	Untold  int // things that have changed, and the log has yet to be told
	Stats   rings.Stats
	Sent    transport.Stats
}

// New opens the file and the socket, and begins a life.
func New(cfg Config) (*Keeper, error) {
	d, err := openDisk(filepath.Join(cfg.DataDir, FileName))
	if err != nil {
		return nil, err
	}
	k := &Keeper{cfg: cfg, disk: d, inputs: make(chan func(time.Time), 1024), done: make(chan struct{}), changed: newChanges(), untold: make(map[model.Name]int)}
	k.queue.wake = make(chan struct{}, 1)
	if err := k.open(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return k, nil
}

func (k *Keeper) open() error {
	c, err := k.disk.count(func(c *counters) { c.Incarnation = nextLife(c.Incarnation, time.Now()) })
	if err != nil {
		return err
	}
	nonces := transport.NewNonces(c.Nonces, time.Now(), func(upTo uint64) error {
		_, err := k.disk.count(func(c *counters) { c.Nonces = upTo })
		return err
	})
	k.endpoint, err = transport.Open(transport.Config{
		Host: model.ManagerHost, Incarnation: c.Incarnation, Listen: k.cfg.Listen, Nonces: nonces, Logger: k.cfg.Logger,
	})
	if err != nil {
		return err
	}
	addr := k.endpoint.Addr()
	if k.cfg.Addr.IsValid() {
		addr = netip.AddrPortFrom(k.cfg.Addr, addr.Port())
	}
	k.self = model.RingMember{Host: model.ManagerHost, Addr: addr, Incarnation: c.Incarnation}
	local := ""
	if k.cfg.Local {
		local = k.cfg.Host
	}
	k.rings = rings.New(rings.Config{
		Self: k.self, Host: k.cfg.Host, Local: local, Profile: k.cfg.Profile, World: world{k}, Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Secret: newSecret, Tenant: k.cfg.Tenant, Rotation: k.cfg.Rotation, Limit: k.cfg.Limit, Reporter: model.ReportID{Reporter: model.ManagerHost, Incarnation: c.Incarnation},
	})
	return nil
}

func newSecret() (s model.Secret) {
	_, _ = crand.Read(s[:]) // never fails
	return s
}

// Run works until the context ends.
func (k *Keeper) Run(ctx context.Context) error {
	last, err := k.disk.load()
	if err != nil {
		close(k.done)
		return errors.Join(err, k.endpoint.Close(), k.disk.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var parts sync.WaitGroup
	var hearing error
	k.restore(last)
	parts.Go(func() { hearing = k.endpoint.Run(ctx, handler{k}); stop() })
	parts.Go(func() { k.queue.run(ctx, k.keep, k.cfg.Logger) })
	failed := k.settle()
	if failed == nil {
		failed = k.loop(ctx)
	}
	close(k.done) // whoever waits for the loop
	stop()
	parts.Wait()
	if failed == nil && len(k.changed.told) > 0 {
		failed = k.disk.write(k.changed)
	}
	return errors.Join(hearing, failed, k.disk.Close())
}

// restore goes on from what an earlier life left.
func (k *Keeper) restore(last kept) {
	k.rings.Restore(last.hosts, last.rings, time.Now())
	if k.cfg.Ready == nil {
		k.rings.Remind(time.Now())
	}
	for _, h := range last.hosts {
		k.endpoint.Put(model.ManagerRing(h.Host), k.rings.Keys(model.ManagerRing(h.Host)))
	}
	for _, r := range last.rings {
		k.endpoint.Put(r.ID, k.rings.Keys(r.ID))
	}
	k.tellAgain(last.untold)
}

// keep brings documents into the manager's log.
func (k *Keeper) keep(ctx context.Context, docs []model.Document) error {
	if err := k.cfg.Keep(ctx, docs); err != nil {
		return err
	}
	_ = k.input(ctx, func(time.Time) { k.told(docs) }) // else the next life tells them again
	return nil
}

// maxRound is how many inputs share one write to disk.
const maxRound = 256

// loop owns the rings.
func (k *Keeper) loop(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	ready := k.cfg.Ready
	for {
		if next := k.rings.Next(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case do := <-k.inputs:
			do(time.Now())
			for range min(len(k.inputs), maxRound) {
				(<-k.inputs)(time.Now())
			}
		case <-timer.C:
			k.rings.Tick(time.Now())
		case <-ready:
			k.rings.Remind(time.Now())
			ready = nil
		case <-ctx.Done():
			return nil
		}
		if err := k.settle(); err != nil {
			return err
		}
	}
}

// settle makes a round durable, and then does what it asked for.
func (k *Keeper) settle() error {
	k.tellRings()
	k.untell()
	if k.changed.pressing() {
		if err := k.disk.write(k.changed); err != nil {
			return err // nothing that was not kept is told: the next life begins from the disk
		}
		k.learn()
		k.changed = newChanges()
	}
	out := k.out
	k.out = nil
	for _, do := range out {
		do()
	}
	if lost := k.queue.add(k.docs...); lost > 0 {
		k.cfg.Logger.Error("no room for documents of rings and verdicts: they come into the log after a restart", "documents", lost)
	}
	k.docs = nil
	return nil
}

// learn gives the endpoint the keys of what has changed. A ring may have ended and begun
// anew in one round.
func (k *Keeper) learn() {
	for id := range k.changed.dropped {
		k.endpoint.Forget(id)
	}
	for host := range k.changed.gone {
		k.endpoint.Forget(model.ManagerRing(host))
	}
	for id := range k.changed.rings {
		k.endpoint.Put(id, k.rings.Keys(id))
	}
	for host := range k.changed.hosts {
		k.endpoint.Put(model.ManagerRing(host), k.rings.Keys(model.ManagerRing(host)))
	}
}

// View is what is known at this moment, and durable.
func (k *Keeper) View(ctx context.Context) (View, error) {
	return ask(ctx, k, func(time.Time) (View, error) {
		v := View{Rings: k.rings.Health(), Pending: k.rings.Pending(), Untold: len(k.untold), Stats: k.rings.Stats(), Sent: k.endpoint.Stats()}
		for _, h := range k.rings.Hosts() {
			v.Hosts = append(v.Hosts, model.HostLiveness{
				Host: h.Host, Addr: h.Addr, Zone: h.Zone, Incarnation: h.Incarnation, State: string(h.State), Since: h.Since, Watch: h.Watch,
				Rings: slices.Clone(h.Rings), WatchedBy: k.rings.WatchedBy(h.Host),
			})
		}
		return v, nil
	})
}

// Join takes an agent in. Errors wrap those of rings, or ErrClosed.
func (k *Keeper) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	return ask(ctx, k, func(now time.Time) (*model.Joined, error) { return k.rings.Join(j, now) })
}

// Rotate takes the next key of every ring into use.
func (k *Keeper) Rotate(ctx context.Context) error {
	_, err := ask(ctx, k, func(now time.Time) (struct{}, error) {
		k.rings.Rotate(now)
		return struct{}{}, nil
	})
	return err
}

// Expel shuts a host out of all rings. It is no error that it is on none.
func (k *Keeper) Expel(ctx context.Context, host string) error {
	_, err := ask(ctx, k, func(now time.Time) (bool, error) { return k.rings.Expel(host, now), nil })
	return err
}

// ask runs something in the loop. It is answered once what it did is durable.
func ask[T any](ctx context.Context, k *Keeper, do func(now time.Time) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	answers := make(chan result, 1)
	err := k.input(ctx, func(now time.Time) {
		value, err := do(now)
		k.out = append(k.out, func() { answers <- result{value, err} })
	})
	if err != nil {
		return none, err
	}
	select {
	case r := <-answers:
		return r.value, r.err
	case <-ctx.Done():
		return none, fmt.Errorf("ask the keeper of rings: %w", ctx.Err())
	case <-k.done:
		return none, ErrClosed
	}
}

// Take takes the verdicts among documents that were accepted. It never waits for long:
// what finds no room is told again by the document log at the next start.
func (k *Keeper) Take(docs []model.Document) {
	for _, doc := range docs {
		if doc.Package != model.PackageVerdicts || doc.Gone() {
			continue
		}
		var v model.Verdict
		if err := doc.Decode(&v); err != nil {
			k.cfg.Logger.Warn("a verdict cannot be read", "document", doc.Name.String(), "error", err)
			continue
		}
		_ = k.input(context.Background(), func(now time.Time) { k.rings.TakeFrom(doc.Host, v, now) })
	}
}

func (k *Keeper) input(ctx context.Context, do func(now time.Time)) error {
	select {
	case k.inputs <- do:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ask the keeper of rings: %w", ctx.Err())
	case <-k.done:
		return ErrClosed
	}
}
