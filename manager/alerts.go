package manager

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"cassini/manager/alerts"
	"cassini/model"
)

const (
	advanceEvery = 2 * time.Second
	// advanceBehind is how far the graph's time stays behind the clock: documents that
	// are being written bear an earlier one.
	advanceBehind = 3 * time.Second
	// readCounters is how often counters are read so that clients which fall silent are
	// noticed. Each reading costs the log a document for each that talked.
	readCounters = time.Hour
)

// alertsClock is the moment that the graph was told last; 0 before.
type alertsClock struct{ unixNano atomic.Int64 }

func (m *Manager) openAlerts() (err error) {
	if !m.cfg.Alerts.Any() {
		err := os.Remove(filepath.Join(m.cfg.DataDir, alerts.FileName))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget what receivers of alerts were told: %w", err)
		}
		return nil
	}
	cfg := alerts.Config{Settings: m.cfg.Alerts, Dir: m.cfg.DataDir, Manager: m.cfg.Host, Source: incidentSource{m}, Logger: m.log, Now: m.cfg.Now}
	if m.enroll != nil {
		cfg.Of = func(tenant string) alerts.Source { return tenantIncidents{m, tenant} }
	}
	m.alerts, err = alerts.Open(cfg)
	if err != nil {
		return fmt.Errorf("open alerts: %w", err)
	}
	return nil
}

func (m *Manager) closeAlerts() error {
	if m.alerts == nil {
		return nil
	}
	return m.alerts.Close()
}

// runAlerts tells the graph the time, and receivers of incidents, until the context ends.
func (m *Manager) runAlerts(ctx context.Context) {
	if m.await(ctx) != nil {
		return // it has ended before the log was replayed
	}
	done := make(chan struct{})
	go func() { // ends with the context
		defer close(done)
		if m.alerts != nil {
			m.alerts.Run(ctx)
		}
	}()
	m.tellTime(ctx)
	<-done
}

func (m *Manager) tellTime(ctx context.Context) {
	tick := time.NewTicker(advanceEvery)
	defer tick.Stop()
	read := m.cfg.Now()
	for {
		m.advance()
		m.tendAuthority()
		m.tellLabels(ctx)
		m.tellRefused(ctx)
		if now := m.cfg.Now(); m.alerts != nil && now.Sub(read) >= readCounters {
			read = now
			if err := m.Refresh(ctx, ""); err != nil {
				m.log.Debug("counters are not up to date", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// advance tells the graph the time.
func (m *Manager) advance() {
	m.applying.Lock()
	defer m.applying.Unlock()
	at := m.cfg.Now().Add(-advanceBehind)
	m.publish(m.graph.Advance(at))
	m.scopes.advance(at)
	m.told.unixNano.Store(at.UnixNano())
}

// publish hands out events, and wakes who tells receivers of incidents.
func (m *Manager) publish(events []model.Event) {
	m.events.publish(events)
	if m.alerts != nil && m.Replayed() && slices.ContainsFunc(events, func(e model.Event) bool { return strings.HasPrefix(e.Kind, "incident.") }) {
		m.alerts.Wake()
	}
}

// incidentSource is the manager as alerts see it.
type incidentSource struct{ m *Manager }

// Incidents implements alerts.Source.
func (s incidentSource) Incidents(context.Context) (list []model.Incident, asOf time.Time, ok bool) {
	at := s.m.told.unixNano.Load()
	if at == 0 {
		return nil, asOf, false
	}
	list = s.m.graph.Incidents(false)
	model.MarkSilenced(list, s.m.graph.Silences(), s.m.cfg.Now(), s.m.tenantOf())
	return list, time.Unix(0, at).UTC(), true
}

// Affected implements alerts.Source.
func (s incidentSource) Affected(_ context.Context, i model.Incident) *model.Affected {
	return s.m.graph.Affected(i)
}

// tenantIncidents is the manager as the receivers of a tenant see it: behind the border,
// like the tenant's people. It keeps the tenant's graph from being forgotten.
type tenantIncidents struct {
	m      *Manager
	tenant string
}

// Incidents implements alerts.Source.
func (s tenantIncidents) Incidents(ctx context.Context) (list []model.Incident, asOf time.Time, ok bool) {
	at := s.m.told.unixNano.Load()
	if at == 0 {
		return nil, asOf, false
	}
	sc, err := s.m.scopes.of(ctx, s.tenant)
	if err != nil {
		if ctx.Err() == nil {
			s.m.log.Error("incidents of a tenant cannot be told; it is tried again", "tenant", s.tenant, "error", err)
		}
		return nil, asOf, false
	}
	list = sc.graph.Incidents(false)
	model.MarkSilenced(list, sc.graph.Silences(), s.m.cfg.Now(), nil)
	return list, time.Unix(0, at).UTC(), true
}

// Affected implements alerts.Source.
func (s tenantIncidents) Affected(ctx context.Context, i model.Incident) *model.Affected {
	sc, err := s.m.scopes.of(ctx, s.tenant)
	if err != nil {
		return nil
	}
	return sc.graph.Affected(i)
}

// AlertStats are the figures of receivers of alerts; nil where there are none.
func (m *Manager) AlertStats() []model.ReceiverStats {
	if !m.Replayed() || m.alerts == nil {
		return nil
	}
	return m.alerts.Stats()
}
