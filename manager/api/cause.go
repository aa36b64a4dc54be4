package api

import (
	"net/http"

	"cassini/manager/graph"
)

func (s *server) getCause(w http.ResponseWriter, r *http.Request, p params) {
	before, now := s.twice(w, r, p, p.moments["since"], p.at())
	if before == nil {
		return
	}
	d, unknown := graph.Diagnose(before, now, p.moments["since"], p.texts["symptom"], p.numbers["limit"])
	if unknown != "" {
		unknownNode(w, r, now, unknown)
		return
	}
	s.answer(w, r, d)
}
