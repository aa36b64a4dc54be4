package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"cassini/manager/alerts"
	"cassini/manager/api"
	"cassini/manager/audit"
	"cassini/manager/backup"
	"cassini/manager/enroll"
	"cassini/manager/graph"
	"cassini/manager/guests"
	"cassini/manager/rings/keeper"
	"cassini/manager/speakers"
	"cassini/manager/store"
	"cassini/manager/store/bolt"
	"cassini/model"
)

// Config is what New needs.
type Config struct {
	DataDir   string        // of the document log
	Host      string        // this machine
	Machine   model.Machine // likewise
	Version   string        // of Cassini
	Start     time.Time     // of this process
	Retention Retention     // of the document log
	Rings     RingConfig
	Limits    Limits
	// ForgetAfter is how long a host is remembered that nothing is heard of; 0 is for ever.
	ForgetAfter time.Duration
	// Insecure listens beyond loopback without encryption or authentication.
	Insecure bool
	TLS      TLS
	// Alerts are who is told of incidents, Learn how long a host is known until a new
	// listener is one; 0 is findings.DefaultLearn.
	Alerts alerts.Settings
	Learn  time.Duration
	Logger *slog.Logger
	Now    func() time.Time // nil is time.Now
}

// Parts are other parts of the process that the manager shows. Each may be nil.
type Parts struct {
	Metrics http.Handler
	Capture func() *model.CaptureStats
	Outbox  func() *model.OutboxStats
	Network func() *model.NetworkStats
	// Ready says why the process cannot answer yet, besides the manager itself.
	Ready func() error
	// Reload reads the configuration again.
	Reload func() (model.Reloaded, error)
	// Debug serves what is below /debug/.
	Debug http.Handler
	// Served hears how long answers took.
	Served func(route string, took time.Duration)
}

// Manager is safe for concurrent use. It implements model.Sink: what is accepted
// is durable and stands in the graph.
type Manager struct {
	cfg        Config
	log        *slog.Logger
	parts      Parts
	requests   api.Requests
	guests     *guests.Guests
	clock      clock
	began      time.Time // with the clock that nobody sets; zero: another clock is given
	deliveries api.Deliveries
	graph      *graph.Graph
	events     *hub
	agents     *agents
	past       *past
	scopes     *scopes
	agreed     agreed
	forgot     forgetting
	promised   promised
	speakers   speakers.Speakers
	refused    refused

	ready   chan struct{}     // closed when the log is replayed
	stopped chan struct{}     // closed when Run returns
	broken  chan error        // takes the damage that ends Run
	store   store.Store       // set before ready is closed
	disk    *bolt.Store       // the same as store
	keeper  *keeper.Keeper    // the same; nil without rings
	enroll  *enroll.Authority // the same; nil without TLS
	alerts  *alerts.Alerts    // the same; nil where nobody is told
	audit   *audit.Log        // the same
	told    alertsClock

	applying sync.Mutex
	applied  store.Key // the last entry that stands in the graph
	decoder  graph.Decoder
	decoding []graph.Logged // what it decodes
	news     []model.Event  // what came of that
	tail     tail           // what comes behind it
	bad      atomic.Uint64

	elsewhere map[model.Name]store.Key // until what was noted in it is taken over
}

var _ model.Sink = (*Manager)(nil)

// New makes a manager that does nothing before Run.
func New(cfg Config) *Manager {
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	began := time.Time{}
	if cfg.Now == nil {
		cfg.Now, began = time.Now, time.Now()
	}
	m := &Manager{
		began:  began,
		cfg:    cfg,
		log:    cfg.Logger,
		graph:  newGraph(cfg),
		events: newHub(),

		guests:  guests.New(cfg.Logger),
		agents:  newAgents(),
		ready:   make(chan struct{}),
		stopped: make(chan struct{}),
		broken:  make(chan error, 1),

		promised: promised{byHost: make(map[string]promise)},

		elsewhere: make(map[model.Name]store.Key),
	}
	m.graph.SetClock(cfg.Now)
	m.graph.NoteSpent()
	m.past = newPast(m.extend)
	m.scopes = newScopes(m)
	return m
}

// Attach shows other parts of the process. It is called before Run, at most once.
func (m *Manager) Attach(p Parts) { m.parts = p }

// Run opens the document log, serves the API on l and replays the log; then it
// accepts documents until the context ends. Beyond loopback it serves TLS,
// unless it is insecure. It closes l, and returns nil when the
// context ended, else an error that says what to do; those of the log wrap the
// sentinels of package store. A log that turns out to be damaged ends it. It is
// called once.
func (m *Manager) Run(ctx context.Context, l net.Listener) error {
	defer close(m.stopped)
	defer l.Close() // again, for the ways out before the server has it
	if err := backup.Finish(m.cfg.DataDir); err != nil {
		return err
	}
	st, err := bolt.Open(bolt.Config{Dir: m.cfg.DataDir, MaxAge: m.cfg.Retention.MaxAge, MaxSize: m.cfg.Retention.MaxSize, Committed: m.tail.add, Hold: m.waits, Now: m.cfg.Now, Logger: m.log})
	if err != nil {
		return fmt.Errorf("open document log: %w", err)
	}
	m.store, m.disk = st, st
	if err := m.beginClock(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, st.Close())
	}
	if err := m.openEnroll(l.Addr().String()); err != nil {
		return errors.Join(err, st.Close())
	}
	if err := m.openRings(); err != nil {
		return errors.Join(err, m.closeEnroll(), st.Close())
	}
	if err := m.openAlerts(); err != nil {
		return errors.Join(err, m.closeEnroll(), st.Close())
	}
	if m.audit, err = audit.Open(audit.Config{Dir: m.cfg.DataDir, Hold: m.waits, Logger: m.log}); err != nil {
		return errors.Join(fmt.Errorf("open audit log: %w", err), m.closeAlerts(), m.closeEnroll(), st.Close())
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var parts sync.WaitGroup
	parts.Go(func() { cancel(serve(ctx, l, api.New(m.api()), m.tls(), m.guests, m.log)) })
	parts.Go(func() {
		if err := m.replay(ctx); err != nil {
			cancel(fmt.Errorf("replay document log: %w", err))
		}
	})
	if m.keeper != nil {
		parts.Go(func() { cancel(m.runRings(ctx)) })
	}
	parts.Go(func() { m.runAlerts(ctx) })
	parts.Go(func() { m.runTidy(ctx) })
	if m.cfg.TLS.Announce {
		parts.Go(func() { m.announce(ctx, l.Addr()) })
	}
	select {
	case err := <-m.broken:
		cancel(err)
	case <-ctx.Done():
	}
	parts.Wait()
	m.agents.stop()
	err = context.Cause(ctx)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return errors.Join(err, m.audit.Close(), m.closeAlerts(), m.closeEnroll(), st.Close())
}

func (m *Manager) api() api.Config {
	return api.Config{
		Backend:    m,
		Metrics:    m.parts.Metrics,
		Host:       m.cfg.Host,
		Version:    m.cfg.Version,
		Start:      m.cfg.Start,
		Requests:   &m.requests,
		Deliveries: &m.deliveries,
		Enroll:     m.enroll,
		Audit:      m.audit,
		Capture:    m.parts.Capture,
		Outbox:     m.parts.Outbox,
		Network:    m.parts.Network,
		Reload:     m.parts.Reload,
		Debug:      m.parts.Debug,
		Served:     m.parts.Served,
		Now:        m.cfg.Now,
		Logger:     m.log,
	}
}

// DeliveryStats are what agents delivered over HTTP since the start.
func (m *Manager) DeliveryStats() model.DeliveryStats { return m.deliveries.Stats() }

// GuestStats are figures of connections of those who have not shown who they are; nil where
// nobody is asked.
func (m *Manager) GuestStats() *model.GuestStats {
	if !m.Replayed() || m.enroll == nil {
		return nil
	}
	stats := m.guests.Stats()
	return &stats
}

// RequestStats are what was asked of the API since the start.
func (m *Manager) RequestStats() []model.RequestStat { return m.requests.Stats() }
