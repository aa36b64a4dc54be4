package api

import (
	"errors"
	"net/http"
	"slices"

	"cassini/manager/graph"
	"cassini/manager/rings"
	"cassini/manager/rings/keeper"
	"cassini/model"
)

// maxJoin is the size of a join in bytes.
const maxJoin = 16 << 10

// postJoin takes an agent into the rings. Its answer holds keys.
func (s *server) postJoin(w http.ResponseWriter, r *http.Request, _ params) {
	j, ok := jsonBody[model.Join](w, r, maxJoin)
	if !ok || !s.speaks(w, r, j.Host) {
		return
	}
	joined, err := s.Backend.Join(r.Context(), j)
	switch {
	case err == nil:
		s.answer(w, r, joined)
	case errors.Is(err, rings.ErrInvalid):
		problem(w, r, http.StatusBadRequest, err.Error())
	default:
		w.Header().Set("Retry-After", "5")
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	}
}

func (s *server) getRings(w http.ResponseWriter, r *http.Request, _ params) {
	v, err := s.Backend.Rings(r.Context())
	if err != nil {
		s.failRings(w, r, err)
		return
	}
	list := []model.RingHealth{}
	s.answer(w, r, append(list, v.Rings...))
}

// failRings answers what the keeper of rings could not. One that has ended is a manager
// that ends, and perhaps comes back.
func (s *server) failRings(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, keeper.ErrClosed) {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Retry-After", "5")
	problem(w, r, http.StatusServiceUnavailable, err.Error())
}

func (s *server) getLiveness(w http.ResponseWriter, r *http.Request, p params) {
	v, err := s.Backend.Rings(r.Context())
	if err != nil {
		s.failRings(w, r, err)
		return
	}
	list := []model.HostLiveness{}
	for _, h := range v.Hosts {
		if (p.get("host") == "" || p.get("host") == h.Host) && (p.get("state") == "" || p.get("state") == h.State) {
			list = append(list, h)
		}
	}
	s.answer(w, r, list)
}

func (s *server) getIncidents(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list := g.Incidents(p.get("open") == "true")
	list = list[:min(len(list), p.numbers["limit"])]
	s.markSilenced(r, g, p, list)
	for n, shown := 0, 0; n < len(list) && shown < maxAffected; n++ {
		if list[n].State == model.IncidentOpen {
			list[n].Affected = g.Affected(list[n])
			shown++
		}
	}
	s.answer(w, r, list)
}

// markSilenced says of incidents which silence covers them at the moment that is asked about.
func (s *server) markSilenced(r *http.Request, g *graph.Graph, p params, list []model.Incident) {
	now := s.Now()
	if at := p.at(); !at.IsZero() {
		now = at
	}
	model.MarkSilenced(list, g.Silences(), now, s.tenantOf(r))
}

// maxAffected is for how many open incidents it is worked out what they affect.
const maxAffected = 50

func (s *server) postRotate(w http.ResponseWriter, r *http.Request, _ params) {
	if err := s.Backend.Rotate(r.Context()); err != nil {
		s.failRings(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *server) getIdentities(w http.ResponseWriter, r *http.Request, p params) {
	g := s.standing(w, r, p)
	if g == nil {
		return
	}
	list := g.Identities(p.get("host"))
	if p.get("shared") == "true" {
		list = slices.DeleteFunc(list, func(i model.HostIdentity) bool { return len(i.Shared) == 0 })
	}
	s.answer(w, r, list)
}
