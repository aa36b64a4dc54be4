package graph

import (
	"maps"

	"cassini/model"
)

// applyRefused notes which machines are refused under the name of a host, which is an incident.
func (g *Graph) applyRefused(doc *Decoded, e *events) bool {
	r := model.Refused{Host: doc.Key}
	if !doc.Gone() && (!take(doc, &r) || r.Host != doc.Key || len(r.Machines) == 0) || doc.Key == "" {
		return false
	}
	g.findings.Refused(g.refused[doc.Key], r, e.at)
	if g.refused[doc.Key] = r; doc.Gone() {
		delete(g.refused, doc.Key)
	}
	return true
}

// Refused are the machines that are refused under the names of hosts, by host.
func (g *Graph) Refused() map[string]model.Refused {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return maps.Clone(g.refused)
}
