package api

import (
	"net/http"
	"strings"
	"time"
)

// debugRoute is what people look at who look for a fault of Cassini's own. It is not
// described: it is Go's, not ours.
func debugRoute() route { return route{method: "GET", path: "/debug/", endless: true} }

// served tells of an answer.
func (s *server) served(r route, took time.Duration) {
	if s.Served != nil && !r.endless && !strings.Contains(strings.Join(r.media, " "), mediaEvents) {
		s.Served(r.method+" "+r.path, took)
	}
}

// postReload reads the configuration again.
func (s *server) postReload(w http.ResponseWriter, r *http.Request, _ params) {
	if s.Reload == nil {
		problem(w, r, http.StatusNotFound, "this process has no configuration to read again")
		return
	}
	done, err := s.Reload()
	noted(r).detail = strings.Join(done.Applied, ", ")
	if err != nil {
		problem(w, r, http.StatusUnprocessableEntity, "the configuration before stays: "+err.Error())
		return
	}
	s.answer(w, r, done)
}
