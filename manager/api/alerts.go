package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"cassini/model"
)

const (
	maxAlertBody = 16 << 10 // bytes
	maxWhy       = 1000     // bytes of a text that people write
)

// ackBody takes an incident on, or gives it back.
type ackBody struct {
	Incident string    `json:"incident"`
	By       string    `json:"by,omitempty"` // a name, beside who shows the token
	Until    time.Time `json:"until,omitzero"`
	Why      string    `json:"why,omitempty"`
	Undo     bool      `json:"undo,omitempty"`
}

// silenceBody makes a silence.
type silenceBody struct {
	Kind     string    `json:"kind,omitempty"`
	Severity string    `json:"severity,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	By       string    `json:"by,omitempty"`
	Until    time.Time `json:"until"`
	Why      string    `json:"why"`
}

type silenceName struct {
	ID string `json:"id"`
}

// alertRoutes are what people do about incidents, and how receivers are told.
func (s *server) alertRoutes() []route {
	refusals := []int{http.StatusBadRequest, 404, 413, 415, 503}
	return []route{
		{method: "POST", path: "/api/v1/incidents/ack", summary: "Take an incident on, or give it back", data: true, body: ackBody{}, answer: model.Incident{}, statuses: refusals, handle: s.postAck},
		{method: "GET", path: "/api/v1/silences", summary: "Silences, the newest first; those that ended are forgotten after a week", data: true, answer: []model.Silence{}, handle: s.getSilences},
		{method: "POST", path: "/api/v1/silences", summary: "Keep receivers from being told of incidents for a while", data: true, body: silenceBody{}, answer: model.Silence{}, statuses: refusals, handle: s.postSilence},
		{method: "POST", path: "/api/v1/silences/end", summary: "End a silence", data: true, body: silenceName{}, answer: model.Silence{}, statuses: refusals, handle: s.postEndSilence},
		{method: "GET", path: "/api/v1/alerts/receivers", summary: "Who is told of incidents, and whether they are", data: true, answer: []model.ReceiverStats{}, handle: s.getReceivers},
	}
}

// words checks texts that people wrote.
func words(w http.ResponseWriter, r *http.Request, texts ...string) bool {
	for _, t := range texts {
		if len(t) > maxWhy || strings.ContainsFunc(t, unicode.IsControl) {
			problem(w, r, http.StatusBadRequest, "a text has more than 1000 bytes, or control characters")
			return false
		}
	}
	return true
}

// signed is who does something: the name that is given, and who shows the token.
func (s *server) signed(r *http.Request, name string) string {
	if name == "" {
		return s.speaker(r)
	}
	return name + " (" + s.speaker(r) + ")"
}

func (s *server) postAck(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[ackBody](w, r, maxAlertBody)
	if !ok || !words(w, r, body.By, body.Why) {
		return
	}
	noted(r).target, noted(r).detail = body.Incident, "undone"
	var ack *model.Ack
	if !body.Undo {
		noted(r).detail = body.Why
		ack = &model.Ack{By: s.signed(r, body.By), At: s.Now().UTC(), Until: body.Until.UTC(), Why: body.Why}
		if body.Until.IsZero() {
			ack.Until = time.Time{}
		}
	}
	if err := s.Backend.Acknowledge(r.Context(), body.Incident, ack); err != nil {
		s.refuseAlert(w, r, err)
		return
	}
	g, err := s.Backend.Graph(r.Context(), time.Time{})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	for _, i := range g.Incidents(false) {
		if i.ID == body.Incident {
			s.answer(w, r, i)
			return
		}
	}
	problem(w, r, http.StatusNotFound, "incident "+headerText(body.Incident)+" was forgotten meanwhile")
}

func (s *server) getSilences(w http.ResponseWriter, r *http.Request, p params) {
	if g := s.standing(w, r, p); g != nil {
		s.answer(w, r, g.Silences())
	}
}

func (s *server) postSilence(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[silenceBody](w, r, maxAlertBody)
	if !ok || !words(w, r, body.By, body.Why, body.Subject, body.Kind, body.Severity) {
		return
	}
	noted(r).detail = fmt.Sprintf("of %q, kind %q, severity %q until %s: %s", body.Subject, body.Kind, body.Severity, body.Until.UTC().Format(time.RFC3339), body.Why)
	made, err := s.Backend.Silence(r.Context(), model.Silence{
		Kind: model.VerdictKind(body.Kind), Severity: body.Severity, Subject: body.Subject, By: s.signed(r, body.By), At: s.Now().UTC(), Until: body.Until.UTC(), Why: body.Why,
	})
	if err != nil {
		s.refuseAlert(w, r, err)
		return
	}
	noted(r).target = made.ID
	s.answer(w, r, made)
}

func (s *server) postEndSilence(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := jsonBody[silenceName](w, r, maxAlertBody)
	if !ok {
		return
	}
	noted(r).target = body.ID
	ended, err := s.Backend.EndSilence(r.Context(), body.ID)
	if err != nil {
		s.refuseAlert(w, r, err)
		return
	}
	s.answer(w, r, ended)
}

func (s *server) getReceivers(w http.ResponseWriter, r *http.Request, _ params) {
	list := []model.ReceiverStats{}
	s.answer(w, r, append(list, s.Backend.AlertStats()...))
}

// refuseAlert answers why something about incidents is not possible.
func (s *server) refuseAlert(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, ErrUnknown):
		problem(w, r, http.StatusNotFound, err.Error())
	case errors.Is(err, ErrInvalid), errors.Is(err, model.ErrInvalidDocument):
		problem(w, r, http.StatusBadRequest, err.Error())
	default:
		w.Header().Set("Retry-After", "10")
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	}
}
