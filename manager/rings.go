package manager

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"cassini/manager/api"
	"cassini/manager/rings"
	"cassini/manager/rings/keeper"
	"cassini/manager/store"
	"cassini/model"
)

// RingConfig is how the manager takes part in the rings.
type RingConfig struct {
	Listen  netip.AddrPort // UDP; an invalid one means no rings
	Profile model.Profile  // of new rings; zero is the standard one
	Local   bool           // an agent of this machine runs in the same process
	// KeyLife is for how long a ring's keys are in use, more or less; 0 is until Rotate.
	KeyLife time.Duration
}

// replayVerdicts is how far back verdicts are taken again at start: what was accepted,
// and perhaps not yet acted on.
const replayVerdicts = 10 * time.Minute

func (m *Manager) openRings() (err error) {
	if !m.cfg.Rings.Listen.IsValid() {
		return nil
	}
	m.keeper, err = keeper.New(keeper.Config{
		DataDir: m.cfg.DataDir, Host: m.cfg.Host, Listen: m.cfg.Rings.Listen, Profile: m.cfg.Rings.Profile, Local: m.cfg.Rings.Local, Rotation: m.cfg.Rings.KeyLife, Limit: m.cfg.Limits.Hosts,
		Tenant: m.tenantOf(),
		Ready:  m.ready,
		Keep:   m.Accept, Logger: m.log,
	})
	return err
}

// runRings keeps the rings once the log is replayed.
func (m *Manager) runRings(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- m.keeper.Run(ctx) }() // ends with the context
	if err := m.expelRevoked(ctx); err != nil && ctx.Err() == nil {
		m.log.Warn("hosts that were revoked may be on rings yet", "error", err)
	}
	if err := m.await(ctx); err == nil {
		if err := m.takeAgain(ctx); err != nil {
			m.log.Warn("verdicts of just before the start are not taken again", "error", err)
		}
	}
	return <-done
}

// expelRevoked shuts hosts out of rings that were revoked when this could not be done, as the
// manager ended in between.
func (m *Manager) expelRevoked(ctx context.Context) error {
	if m.enroll == nil {
		return nil
	}
	for _, h := range m.enroll.Hosts() {
		if h.Revoked.IsZero() {
			continue
		}
		if err := m.keeper.Expel(ctx, h.Host); err != nil {
			return fmt.Errorf("expel %s: %w", h.Host, err)
		}
	}
	return nil
}

// takeAgain takes the verdicts of just before the start, unless what they say is over.
func (m *Manager) takeAgain(ctx context.Context) error {
	from := store.Until(m.cfg.Now().Add(-replayVerdicts))
	var verdicts []model.Document
	for e, err := range m.store.Range(ctx, from, "") {
		if errors.Is(err, store.ErrBadEntry) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read document log: %w", err)
		}
		if e.Document.Package == model.PackageVerdicts && !e.Document.Gone() {
			verdicts = append(verdicts, e.Document)
		}
	}
	m.keeper.Take(unsettled(verdicts))
	return nil
}

// unsettled are, of verdicts in the order of the log, those that still say something: of
// each subject what came after its last correction, or that one if nothing did. The others
// would make a host that has died since live again for a moment.
func unsettled(verdicts []model.Document) (rest []model.Document) {
	told, settled := make(map[string]bool), make(map[string]bool)
	for _, doc := range slices.Backward(verdicts) {
		var v model.Verdict
		if err := doc.Decode(&v); err != nil || settled[v.Subject.Host] {
			continue // who accepted it has said what is wrong with it
		}
		settled[v.Subject.Host] = v.Kind == model.VerdictCorrected
		if !settled[v.Subject.Host] || !told[v.Subject.Host] {
			rest = append(rest, doc)
		}
		told[v.Subject.Host] = true
	}
	slices.Reverse(rest)
	return rest
}

// Join takes an agent into the rings.
func (m *Manager) Join(ctx context.Context, j model.Join) (*model.Joined, error) {
	if err := m.await(ctx); err != nil {
		return nil, err
	}
	if m.keeper == nil {
		return nil, fmt.Errorf("%w: this manager keeps no rings", rings.ErrInvalid)
	}
	return m.keeper.Join(ctx, j)
}

// Rings are what the keeper of rings knows.
func (m *Manager) Rings(ctx context.Context) (keeper.View, error) {
	if err := m.await(ctx); err != nil {
		return keeper.View{}, err
	}
	if m.keeper == nil {
		return keeper.View{}, nil
	}
	return m.keeper.View(ctx)
}

// Expel shuts a host out of the rings.
func (m *Manager) Expel(ctx context.Context, host string) error {
	if m.keeper == nil {
		return nil
	}
	return m.keeper.Expel(ctx, host)
}

// Rotate takes the next keys of all rings into use.
func (m *Manager) Rotate(ctx context.Context) error {
	if m.keeper == nil {
		return nil
	}
	return m.keeper.Rotate(ctx)
}

var _ api.Backend = (*Manager)(nil)

// RingKeeperStats are figures of the rings for metrics; nil while there are none.
func (m *Manager) RingKeeperStats() *model.RingKeeperStats {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if !m.Replayed() || m.keeper == nil {
		return nil
	}
	v, err := m.keeper.View(ctx)
	if err != nil {
		return nil // it is ending
	}
	s := &model.RingKeeperStats{
		Rings: v.Rings, Hosts: v.Hosts, Pending: v.Pending, Repairs: v.Stats.Repairs, Rotations: v.Stats.Rotations, Untold: v.Untold, Instructions: v.Stats.Instructions,
		Stale: v.Stats.Stale, Verdicts: v.Stats.Verdicts, Inquiries: v.Stats.Inquiries, Sent: v.Sent.Sent, Failed: v.Sent.Failed, Received: v.Sent.Received,
	}
	s.Incidents = m.graph.Incidents(false)
	return s
}
