package api

import (
	"net/http"
	"slices"

	"cassini/manager/graph"
	"cassini/model"
)

// standing finds the graph of the moment for questions that no counter answers;
// nil after an error was answered.
func (s *server) standing(w http.ResponseWriter, r *http.Request, p params) *graph.Graph {
	g, err := s.Backend.Graph(r.Context(), p.at())
	if err != nil {
		s.fail(w, r, err)
		return nil
	}
	return g
}

func (s *server) getInterfaces(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Interfaces(p.get("host")))
	}
}

func (s *server) getRoutes(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Routes(p.get("host")))
	}
}

func (s *server) getRules(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Rules(p.get("host")))
	}
}

func (s *server) getPorts(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Ports(graph.PortFilter{
			Host: p.get("host"), Interface: p.get("interface"), Switch: p.get("switch"), Ended: p.get("ended") == "true",
		}))
	}
}

func (s *server) getSwitches(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Switches())
	}
}

func (s *server) getFind(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Find(p.get("q")))
	}
}

func (s *server) getStrangers(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Strangers())
	}
}

func (s *server) getUplinks(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list := g.Uplinks(p.get("host"))
	if p.get("single") == "true" {
		list = slices.DeleteFunc(list, func(u model.Uplinks) bool { return u.Risk != model.RiskCable && u.Risk != model.RiskSwitch })
	}
	s.answer(w, r, list)
}

func (s *server) getShared(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list, unknown := g.Shared(p.get("a"), p.get("b"))
	if unknown != "" {
		unknownNode(w, r, g, model.HostID(unknown))
		return
	}
	s.answer(w, r, list)
}
