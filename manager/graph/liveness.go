package graph

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cassini/model"
	"cassini/model/scan"
)

// StateUp is the state of a host on a ring that nothing is said against; else it is a kind
// of verdict.
const StateUp = "up"

func (g *Graph) applyVerdict(doc *Decoded, e *events) bool {
	if doc.Gone() {
		return true // a log that expires forgets reports, not what they said
	}
	var v model.Verdict
	if !take(doc, &v) || v.ID.Reporter == "" || v.Subject.Host == "" {
		return false
	}
	g.topology++
	was := g.isUp(v.Subject.Host)
	defer func() {
		if g.isUp(v.Subject.Host) != was {
			g.changed(model.HostID(v.Subject.Host), v.Subject.Host, 1, e)
		}
	}()
	if i := g.incidents.Apply(v, e.at); i != nil {
		kind := model.EventIncidentOpened
		if i.State != model.IncidentOpen {
			kind = model.EventIncidentClosed
		}
		e.add(kind, subjectNode(i), i.Summary)
	}
	return true
}

// subjectNode is the node that an incident is about, or the first one: a host, or the ring
// of a zone.
func subjectNode(i *model.Incident) string {
	if len(i.Evidence) > 0 {
		return i.Subjects[0] // documents told it, of nodes
	}
	switch i.Kind {
	case model.VerdictSegment:
		return model.RingNodeID(model.RingID(i.Zone))
	case model.VerdictPartition: // its subjects are zones
		return model.RingNodeID(model.RingID(i.Subjects[0]))
	}
	return model.HostID(i.Subjects[0])
}

// received is when the manager had a document: the beginning of its log key.
func received(logKey string, otherwise time.Time) time.Time {
	if len(logKey) >= len(keyTime) {
		if at, ok := scan.Clock(logKey[:len(keyTime)], '.'); ok {
			return at
		}
	}
	return otherwise
}

func (g *Graph) applyRing(doc *Decoded, _ *events) bool {
	if doc.Gone() {
		delete(g.rings, doc.Key)
		g.touchRing(doc.Key)
		return true
	}
	var r model.Ring
	nobody := func(m model.RingMember) bool { return !m.Known() }
	if !take(doc, &r) || string(r.ID) != doc.Key || doc.Key == "" || slices.ContainsFunc(r.Members, nobody) {
		return false
	}
	g.rings[doc.Key] = &r
	g.touchRing(doc.Key)
	return true
}

// Incidents are what was reported of deaths, and what documents told otherwise, the newest first. With open only those
// that are not over.
func (g *Graph) Incidents(open bool) []model.Incident {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := g.incidents.All()
	for n := range all {
		i := &all[n]
		i.Cause = subjectNode(i)
		if ack, ok := g.acks[i.ID]; ok && !ack.At.Before(i.Worsened) { // else it is not what was taken on
			i.Ack = &ack
		}
	}
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b model.Incident) int { return cmp.Compare(b.Opened.UnixNano(), a.Opened.UnixNano()) })
	if open {
		all = slices.DeleteFunc(all, func(i model.Incident) bool { return i.State != model.IncidentOpen })
	}
	return all
}

// liveness adds to a host's attributes what its neighbors say of it.
func (n *node) liveness(a model.Attrs) model.Attrs {
	if s := n.status(); s != nil {
		a["state"], a["state_since"] = string(s.Kind), s.Since
	} else if n.onRing() {
		a["state"] = StateUp
	}
	return a
}

func ringAttrs(r *model.Ring) model.Attrs {
	names := make([]string, 0, len(r.Members))
	for _, m := range r.Members {
		names = append(names, m.Host)
	}
	a := model.Attrs{"name": string(r.ID), "epoch": uint64(r.Epoch), "level": r.Level, "members": len(names), "order": strings.Join(names, " ")}
	set(a, "zone", r.Zone)
	return a
}

// deaths are hosts and zones that ail, for the overview.
func (g *Graph) deaths() (list []model.Ailment) {
	for _, i := range g.Incidents(true) {
		if i.Severity == model.SeverityInfo {
			continue
		}
		list = append(list, model.Ailment{Node: subjectNode(&i), What: i.Summary})
	}
	return list
}
