package api

import (
	"errors"
	"fmt"
	"net/http"
)

// forgetBody names a host that is no more.
type forgetBody struct {
	Host string `json:"host"`
}

func (s *server) postForget(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[forgetBody](w, r, maxAlertBody)
	if !ok {
		return
	}
	if body.Host == "" {
		problem(w, r, http.StatusBadRequest, "want the name of a host")
		return
	}
	noted(r).target = body.Host
	f, err := s.Backend.Forget(r.Context(), body.Host)
	switch {
	case errors.Is(err, ErrUnknown):
		problem(w, r, http.StatusNotFound, headerText(err.Error()))
	case errors.Is(err, ErrUp):
		problem(w, r, http.StatusConflict, headerText(err.Error()))
	case err != nil:
		s.failRings(w, r, err)
	default:
		noted(r).detail = fmt.Sprintf("%d documents withdrawn", f.Documents)
		s.answer(w, r, f)
	}
}
