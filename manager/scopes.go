package manager

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"cassini/manager/api"
	"cassini/manager/graph"
	"cassini/manager/tenants"
	"cassini/model"
)

// Bounds of what tenants cost. All graphs of tenants together weigh about what that of the
// estate does, since no host is in two.
const (
	maxScopes = 64               // of tenants whose graphs are kept; the longest unasked goes
	idleScope = 30 * time.Minute // unasked and unwatched, a tenant's graph is forgotten
)

// scopes are the estate as its tenants see it. A tenant's graph is made when somebody of
// it asks, by replay of the log, and kept up while somebody does.
type scopes struct {
	m *Manager

	mu    sync.Mutex
	all   map[string]*scope // by tenant
	stats model.TenantStats
}

func newScopes(m *Manager) *scopes { return &scopes{m: m, all: make(map[string]*scope)} }

// Tenant is the estate as one tenant sees it.
func (m *Manager) Tenant(name string) api.Backend { return tenantBackend{m: m, tenant: name} }

// of finds a tenant's scope with everything in it that the log has.
func (s *scopes) of(ctx context.Context, tenant string) (*scope, error) {
	if err := s.m.await(ctx); err != nil {
		return nil, err
	}
	for {
		sc := s.find(tenant)
		err := sc.build(ctx)
		if !errors.Is(err, errOutdated) {
			return sc, err
		}
	}
}

// find is a tenant's scope, which may have to be built.
func (s *scopes) find(tenant string) *scope {
	now := s.m.cfg.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.all[tenant]
	if sc == nil {
		if len(s.all) >= maxScopes {
			s.evict()
		}
		sc = newScope(s.m, tenant)
		s.all[tenant] = sc
	}
	sc.asked = now
	return sc
}

// evict forgets the scope that nobody has asked for longest. The lock is held.
func (s *scopes) evict() {
	var oldest *scope
	for _, sc := range s.all {
		if oldest == nil || sc.asked.Before(oldest.asked) {
			oldest = sc
		}
	}
	s.forget(oldest)
}

// forget ends a scope. Who watches it has to ask again. The lock is held.
func (s *scopes) forget(sc *scope) {
	delete(s.all, sc.tenant)
	sc.end()
	s.stats.Forgotten++
}

// forgetAll is for a host that is another tenant's from now on: what was derived is wrong.
func (s *scopes) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range s.all {
		s.forget(sc)
	}
}

// live are scopes that follow the log.
func (s *scopes) live() []*scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*scope, 0, len(s.all))
	for _, sc := range s.all {
		list = append(list, sc)
	}
	return list
}

// hear gives documents that the manager has just applied to those whom they may concern.
func (s *scopes) hear(live []*scope, docs []graph.Logged) {
	if len(live) == 0 {
		return
	}
	for _, sc := range live {
		var some []graph.Logged
		for _, d := range docs {
			if tenants.Crosses(d.Package) || sc.border.Owns(d.Host) {
				some = append(some, d)
			}
		}
		sc.hear(some)
	}
}

// advance tells tenants' graphs the time, and forgets those that nobody asks for.
func (s *scopes) advance(at time.Time) {
	s.tidy(s.m.cfg.Now())
	for _, sc := range s.live() {
		sc.advance(at)
	}
}

// tidy forgets what nobody asks for.
func (s *scopes) tidy(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sc := range s.all {
		if watchers, _ := sc.events.figures(); watchers == 0 && now.Sub(sc.asked) > idleScope {
			s.forget(sc)
		}
	}
}

// moved hears that a host is another tenant's. Only where something is remembered of it
// does that change what tenants see. It is called with the authority's lock held.
func (m *Manager) moved(host string) {
	if m.Replayed() && !slices.Contains(m.graph.HostNames(), host) {
		return
	}
	m.scopes.forgetAll()
}

// tenantOf is whose a host is; nil where there are no tenants.
func (m *Manager) tenantOf() func(host string) string {
	if m.enroll == nil {
		return nil
	}
	return m.enroll.TenantOf
}

// TenantStats are figures of tenants; nil where nobody is asked who speaks.
func (m *Manager) TenantStats() *model.TenantStats {
	if !m.Replayed() || m.enroll == nil {
		return nil
	}
	m.scopes.mu.Lock()
	defer m.scopes.mu.Unlock()
	stats := m.scopes.stats
	stats.Kept = len(m.scopes.all)
	stats.Refused = m.requests.Border()
	return &stats
}
