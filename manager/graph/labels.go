package graph

import (
	"maps"

	"cassini/model"
)

// labelPrefix is before the key of a label among a host's attributes.
const labelPrefix = "label."

func (g *Graph) applyLabels(doc *Decoded) bool {
	var l model.HostLabels
	defer g.unsumHost(doc.Key)
	switch {
	case doc.Gone():
		delete(g.labels, doc.Key)
		return true
	case !take(doc, &l) || l.Host != doc.Key || l.Host == "":
		return false
	}
	g.labels[doc.Key] = l
	return true
}

// Labels are what hosts were given when they joined, by host.
func (g *Graph) Labels() map[string]model.HostLabels {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return maps.Clone(g.labels)
}

// labels are those of a host.
func (n *node) labels() model.HostLabels { return n.g.labels[n.host()] }

// labelled adds the labels of a host to its attributes.
func (n *node) labelled(a model.Attrs) model.Attrs {
	l := n.labels()
	set(a, "label", l.Label)
	for key, value := range l.Labels {
		a[labelPrefix+key] = value
	}
	return a
}
