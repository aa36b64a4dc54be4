package graph

import (
	"slices"
	"strings"

	"cassini/model"
)

func (g *Graph) applyAck(doc *Decoded) bool {
	var ack model.Ack
	switch {
	case doc.Gone():
		delete(g.acks, doc.Key)
		return true
	case !take(doc, &ack) || ack.By == "" || doc.Key == "":
		return false
	}
	g.acks[doc.Key] = ack
	return true
}

func (g *Graph) applySilence(doc *Decoded) bool {
	var s model.Silence
	switch {
	case doc.Gone():
		delete(g.silences, doc.Key)
		return true
	case !take(doc, &s) || s.ID != doc.Key || s.ID == "":
		return false
	}
	g.silences[doc.Key] = s
	return true
}

// Silences are those that were made and not yet forgotten, the newest first.
func (g *Graph) Silences() []model.Silence {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.Silence{}
	for _, s := range g.silences {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b model.Silence) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// Acks are by the incident's identifier.
func (g *Graph) Acks() map[string]model.Ack {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make(map[string]model.Ack, len(g.acks))
	for id, ack := range g.acks {
		all[id] = ack
	}
	return all
}

// maxAffected is how many nodes are named of what an incident affects.
const maxAffected = 20

// Affected is what falls with the subjects of an incident that are not back, all of them
// together: of two that stand in for each other neither is left.
func (g *Graph) Affected(i model.Incident) *model.Affected {
	a := &model.Affected{First: []string{}}
	g.read(func(v *view) {
		var starts []*node
		for _, subject := range i.Subjects {
			if slices.Contains(i.Back, subject) {
				continue
			}
			for _, id := range g.struck(i, subject) {
				if n := v.named(id); n != nil {
					starts = append(starts, n)
				}
			}
		}
		f := v.falling()
		defer f.done()
		f.from(starts...)
		addVictims(a, f.victims())
	})
	return a
}

// struck are the nodes that a subject stands for: of a zone, the hosts that are on its
// ring. The caller holds the lock.
func (g *Graph) struck(i model.Incident, subject string) []string {
	switch {
	case len(i.Evidence) > 0:
		switch i.Kind {
		case model.IncidentServiceGone:
			return []string{subject}
		case model.IncidentDependency:
			client, _, _ := strings.Cut(subject, " ")
			return []string{client}
		}
		return nil
	case i.Kind == model.VerdictSegment || i.Kind == model.VerdictPartition:
		return g.members(subject)
	case i.Kind == model.VerdictCrashed || i.Kind == model.VerdictShutdown || i.Kind == model.VerdictDeaf: // what hears nothing serves nobody
		return []string{model.HostID(subject)}
	}
	return nil // its host and services are up
}

// members are the hosts on rings of a zone.
func (g *Graph) members(zone string) (hosts []string) {
	for _, r := range g.rings {
		if r.Zone != zone {
			continue
		}
		for _, m := range r.Members {
			if id := model.HostID(m.Host); !slices.Contains(hosts, id) {
				hosts = append(hosts, id)
			}
		}
	}
	slices.Sort(hosts)
	return hosts
}

func addVictims(a *model.Affected, victims []model.Victim) {
	for _, v := range victims {
		if v.Effect == model.EffectDegraded {
			continue
		}
		switch v.Kind {
		case model.KindHost:
			a.Hosts++
		case model.KindService:
			a.Services++
		case model.KindProcess:
			a.Programs++
		default:
			continue
		}
		if len(a.First) < maxAffected {
			a.First = append(a.First, v.ID)
		}
	}
}
