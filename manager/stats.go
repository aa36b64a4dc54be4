package manager

import (
	"cassini/manager/graph"
	"cassini/model"
)

// StoreStats are the figures of the document log; zero before it is open.
func (m *Manager) StoreStats() model.StoreStats {
	if !m.Replayed() {
		return model.StoreStats{}
	}
	stats, err := m.store.Stats()
	if err != nil {
		m.log.Debug("figures of the document log", "error", err)
	}
	stats.Reread = m.tail.missed()
	return stats
}

// GraphStats are the figures of the graph and of who watches it.
func (m *Manager) GraphStats() model.GraphStats {
	stats := m.graph.Stats()
	stats.Watchers, stats.Lagged = m.events.figures()
	stats.Written = m.graph.Written()
	stats.HostsForgotten, stats.Withdrawn = m.forgot.hosts.Load(), m.forgot.documents.Load()
	if n := m.bad.Load(); n > 0 {
		stats.Rejected["undecodable"] = n
	}
	return stats
}

// Dependencies are all dependencies as they are known; nothing is refreshed: the API
// does so before it lets anybody read the metrics.
func (m *Manager) Dependencies() []model.DependencyView {
	list, _ := m.graph.Dependencies(graph.DependencyFilter{})
	return list
}
