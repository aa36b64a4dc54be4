// Package pages gathers from a graph what is known of one host or one service: what a person
// asks first who was told its name at night.
package pages

import (
	"cmp"
	"slices"

	"cassini/manager/graph"
	"cassini/model"
)

// Host is the page of a host, with so many of each list that can be long. ok is false when
// no agent reports from there and nobody knows it.
func Host(g *graph.Graph, name string, limit int) (p model.Page, ok bool) {
	id := model.KindHost + ":" + name
	if !fill(&p, g, id, limit) {
		return p, false
	}
	p.Interfaces = g.Interfaces(name)
	p.Ports = g.Ports(graph.PortFilter{Host: name})
	services := g.Services(graph.ServiceFilter{Host: name})
	slices.SortStableFunc(services, func(a, b model.Service) int { return cmp.Compare(ended(a), ended(b)) })
	p.Counts.Services = len(services)
	p.Counts.Listening = len(services)
	if n := slices.IndexFunc(services, func(s model.Service) bool { return s.State == model.StateEnded }); n >= 0 {
		p.Counts.Listening = n
	}
	p.Services = first(services, limit)
	return p, true
}

// Service is the page of a service, by its identifier. ok is false when there is none.
func Service(g *graph.Graph, id string, limit int) (p model.Page, ok bool) {
	if !fill(&p, g, id, limit) || p.Node.Kind != model.KindService {
		return p, false
	}
	host := model.SubjectHost(id)
	for _, s := range g.Services(graph.ServiceFilter{Host: host}) {
		if s.ID == id {
			p.Services = []model.Service{s}
		}
	}
	return p, true
}

func ended(s model.Service) int {
	if s.State == model.StateEnded {
		return 1
	}
	return 0
}

// fill does what the pages have in common.
func fill(p *model.Page, g *graph.Graph, id string, limit int) (ok bool) {
	if p.Node, ok = g.Node(id); !ok {
		return false
	}
	down, _ := g.Dependencies(graph.DependencyFilter{Of: id, Down: true, Depth: 1})
	up, _ := g.Dependencies(graph.DependencyFilter{Of: id, Up: true, Depth: 1})
	p.Counts.Dependencies, p.Counts.Dependents = len(down), len(up)
	p.Dependencies, p.Dependents = latest(down, limit), latest(up, limit)
	impact, _ := g.Impact(id)
	p.Falls = model.Fallen{Hosts: impact.Hosts, Services: impact.Services}
	points, _ := g.SinglePoints(id)
	p.Counts.FallsWith = len(points)
	p.FallsWith = first(points, limit)
	p.Incidents = []model.Incident{}
	for _, i := range g.Incidents(false) {
		if concerns(i, id) {
			p.Incidents = append(p.Incidents, i)
			if i.State == model.IncidentOpen {
				p.Counts.Open++
			}
		}
	}
	p.Counts.Incidents = len(p.Incidents)
	p.Incidents = first(p.Incidents, limit)
	return true
}

// concerns says whether an incident is of a node or, as of a host that has crashed, of the
// host that it is on; of a host also whether it is of what is on it.
func concerns(i model.Incident, id string) bool {
	host := model.SubjectHost(id)
	return slices.ContainsFunc(append([]string{i.Cause}, i.Subjects...), func(subject string) bool {
		if subject == "" {
			return false
		}
		whole := subject == host || subject == model.KindHost+":"+host // subjects of rings bear names
		return subject == id || host != "" && (whole || id == model.KindHost+":"+host && model.SubjectHost(subject) == host)
	})
}

func latest(list []model.DependencyView, limit int) []model.DependencyView {
	slices.SortStableFunc(list, func(a, b model.DependencyView) int { return b.LastSeen.Compare(a.LastSeen) })
	return first(list, limit)
}

func first[T any](list []T, limit int) []T { return list[:min(len(list), limit)] }
