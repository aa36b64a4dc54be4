package api

import "net/http"

// postReload reads the configuration again.
func (s *server) postReload(w http.ResponseWriter, r *http.Request, _ params) {
	if s.Reload == nil {
		problem(w, r, http.StatusNotFound, "this process has no configuration to read again")
		return
	}
	done, err := s.Reload()
	if err != nil {
		problem(w, r, http.StatusUnprocessableEntity, "the configuration before stays: "+err.Error())
		return
	}
	s.answer(w, r, done)
}
