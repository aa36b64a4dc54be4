package manager

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"time"

	"cassini/manager/api"
	"cassini/manager/graph"
	"cassini/model"
)

// Bounds of what people say to incidents.
const (
	maxSilences    = 1000
	maxSilence     = 365 * 24 * time.Hour
	keepSilence    = 7 * 24 * time.Hour // how long one that ended is still listed
	keepTenantAck  = 90 * 24 * time.Hour
	forgetsAtOnce  = 100
	tenantSilences = 100 // of each tenant
	silenceIDBytes = 4
)

// sight is who looks at incidents: the whole estate, or a tenant, who calls them by names
// that real turns back.
type sight struct {
	graph  *graph.Graph
	tenant string
	real   func(id string) string
}

// Acknowledge implements api.Backend.
func (m *Manager) Acknowledge(ctx context.Context, id string, ack *model.Ack) error {
	return m.acknowledge(ctx, sight{graph: m.graph, real: func(id string) string { return id }}, id, ack)
}

func (m *Manager) acknowledge(ctx context.Context, of sight, id string, ack *model.Ack) error {
	if err := m.await(ctx); err != nil {
		return err
	}
	list := of.graph.Incidents(false)
	at := slices.IndexFunc(list, func(i model.Incident) bool { return i.ID == id })
	switch {
	case at < 0:
		return fmt.Errorf("incident %q: %w; 'cassini incidents' has those that are", id, api.ErrUnknown)
	case ack != nil && list[at].State != model.IncidentOpen:
		return fmt.Errorf("incident %q: %w: it is %s already", id, api.ErrInvalid, list[at].State)
	case ack != nil && !ack.Until.IsZero() && !ack.Until.After(ack.At):
		return fmt.Errorf("incident %q: %w: until %s is past", id, api.ErrInvalid, ack.Until.Format(time.RFC3339))
	}
	if ack != nil {
		ack.Tenant = of.tenant
	} else if _, taken := of.graph.Acks()[id]; of.tenant != "" && !taken {
		return fmt.Errorf("incident %q: %w: nobody of tenant %s has taken it on", id, api.ErrInvalid, of.tenant)
	}
	doc, err := m.own(model.PackageAcks, of.real(id), ack, ack == nil)
	if err != nil {
		return err
	}
	return m.respond(ctx, append(m.deadAcks(), doc))
}

// own is a document of the manager, or the end of one.
func (m *Manager) own(pkg, key string, body any, gone bool) (model.Document, error) {
	name := model.Name{Host: m.cfg.Host, Package: pkg, Key: key}
	if gone {
		return model.Document{Name: name, Time: m.cfg.Now().UTC()}, nil
	}
	return model.NewDocument(name, m.cfg.Now(), body)
}

// deadAcks forgets acknowledgements of incidents that nobody remembers. An incident of a
// tenant can be part of a larger one of the estate, where it is not found: what tenants
// took on is kept for a time instead.
func (m *Manager) deadAcks() (docs []model.Document) {
	known, hold := make(map[string]bool), m.waits()
	for _, i := range m.graph.Incidents(false) {
		known[i.ID] = true
	}
	for id, ack := range m.graph.Acks() {
		if ack.Tenant != "" && (hold || m.cfg.Now().Sub(ack.At) < keepTenantAck) {
			continue
		}
		if !known[id] && len(docs) < forgetsAtOnce {
			docs = append(docs, model.Document{Name: model.Name{Host: m.cfg.Host, Package: model.PackageAcks, Key: id}, Time: m.cfg.Now().UTC()})
		}
	}
	return docs
}

// respond accepts documents, and has receivers told what they change.
func (m *Manager) respond(ctx context.Context, docs []model.Document) error {
	err := m.Accept(ctx, docs)
	if err == nil && m.alerts != nil {
		m.alerts.Wake()
	}
	return err
}

// Silence implements api.Backend.
func (m *Manager) Silence(ctx context.Context, s model.Silence) (model.Silence, error) {
	if err := m.await(ctx); err != nil {
		return s, err
	}
	if err := checkSilence(s); err != nil {
		return s, err
	}
	now := m.cfg.Now()
	var docs []model.Document
	silences := m.graph.Silences()
	if n := tenantHas(silences, s.Tenant); s.Tenant != "" && n >= tenantSilences {
		return s, fmt.Errorf("silence: %w: tenant %s has %d, and those that ended are forgotten after a week", api.ErrInvalid, s.Tenant, n)
	}
	hold := m.waits()
	for _, old := range silences {
		if !hold && now.Sub(old.Until) > keepSilence && len(docs) < forgetsAtOnce {
			docs = append(docs, model.Document{Name: model.Name{Host: m.cfg.Host, Package: model.PackageSilences, Key: old.ID}, Time: now.UTC()})
		}
	}
	if len(silences)-len(docs) >= maxSilences {
		return s, fmt.Errorf("silence: %w: there are %d, and those that ended are forgotten after a week", api.ErrInvalid, maxSilences)
	}
	raw := make([]byte, silenceIDBytes)
	_, _ = rand.Read(raw) // never fails: it ends the program first
	s.ID = hex.EncodeToString(raw)
	doc, err := m.own(model.PackageSilences, s.ID, s, false)
	if err != nil {
		return s, err
	}
	return s, m.respond(ctx, append(docs, doc))
}

func tenantHas(silences []model.Silence, tenant string) (n int) {
	for _, s := range silences {
		if s.Tenant == tenant {
			n++
		}
	}
	return n
}

func checkSilence(s model.Silence) error {
	if _, err := path.Match(s.Subject, ""); err != nil {
		return fmt.Errorf("silence of %q: %w: the pattern is not whole: %w", s.Subject, api.ErrInvalid, err)
	}
	switch {
	case s.Kind == "" && s.Severity == "" && s.Subject == "":
		return fmt.Errorf("silence: %w: it would be of everything; say of which host or node, kind or severity ('*' is every host)", api.ErrInvalid)
	case s.Severity != "" && !slices.Contains([]string{model.SeverityCritical, model.SeverityWarning, model.SeverityInfo}, s.Severity):
		return fmt.Errorf("silence of severity %q: %w: want critical, warning or info", s.Severity, api.ErrInvalid)
	case s.Kind != "" && !slices.Contains(model.IncidentKinds(), s.Kind):
		return fmt.Errorf("silence of kind %q: %w: there is no such kind", s.Kind, api.ErrInvalid)
	case s.Why == "":
		return fmt.Errorf("silence: %w: say why, for those who wonder", api.ErrInvalid)
	case !s.Until.After(s.At) || s.Until.Sub(s.At) > maxSilence:
		return fmt.Errorf("silence until %s: %w: want a time that is to come, within a year", s.Until.Format(time.RFC3339), api.ErrInvalid)
	}
	return nil
}

// EndSilence implements api.Backend.
func (m *Manager) EndSilence(ctx context.Context, id string) (model.Silence, error) {
	if err := m.await(ctx); err != nil {
		return model.Silence{}, err
	}
	return m.endSilence(ctx, m.graph.Silences(), id)
}

// endSilence ends one of those that somebody sees.
func (m *Manager) endSilence(ctx context.Context, silences []model.Silence, id string) (model.Silence, error) {
	at := slices.IndexFunc(silences, func(s model.Silence) bool { return s.ID == id })
	if at < 0 {
		return model.Silence{}, fmt.Errorf("silence %q: %w; 'cassini silence list' has those that are", id, api.ErrUnknown)
	}
	s := silences[at]
	now := m.cfg.Now().UTC()
	if !s.Holds(now) {
		return s, nil
	}
	s.Until = now
	doc, err := m.own(model.PackageSilences, id, s, false)
	if err != nil {
		return s, err
	}
	return s, m.respond(ctx, []model.Document{doc})
}
