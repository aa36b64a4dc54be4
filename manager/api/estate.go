package api

import (
	"net/http"

	"cassini/model"
)

// estateRoutes are questions about the estate as a whole.
func (s *server) estateRoutes(c common) []route {
	return []route{
		{method: "GET", path: "/api/v1/cycles", summary: "Services that depend on each other in circles", data: true,
			params: []param{c.at}, answer: []model.Cycle{}, statuses: []int{http.StatusBadRequest}, handle: s.getCycles},
		{method: "GET", path: "/api/v1/unmonitored", summary: "What nobody watches: hosts on no ring with others, machines without an agent, services that no agent knows", data: true,
			params: []param{c.at}, answer: []model.Unmonitored{}, statuses: []int{http.StatusBadRequest}, handle: s.getUnmonitored},
		{method: "GET", path: "/api/v1/versions", summary: "Kernels, systems and agents of hosts, and which hosts have each", data: true,
			params: []param{c.at}, answer: []model.Version{}, statuses: []int{http.StatusBadRequest}, handle: s.getVersions},
		{method: "GET", path: "/api/v1/addresses", summary: "IP addresses, and who has each", data: true,
			params: []param{{name: "state", enum: []string{model.AddressOwned, model.AddressShared, model.AddressUnknown}, about: "only addresses in this state"}, c.at},
			answer: []model.Address{}, statuses: []int{http.StatusBadRequest}, handle: s.getAddresses},
	}
}

func (s *server) getCycles(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Cycles())
	}
}

func (s *server) getUnmonitored(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.Unmonitored())
	}
}

func (s *server) getVersions(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Versions())
	}
}

func (s *server) getAddresses(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.ask(w, r, p); g != nil {
		s.answer(w, r, g.AllAddresses(p.get("state")))
	}
}
