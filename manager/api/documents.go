package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"cassini/model"
)

// Limits on one request.
const (
	maxBody      = 8 << 20
	maxDocuments = 10_000
)

// documentsBody is what an agent sends.
type documentsBody struct {
	Host      string           `json:"host"`
	Documents []model.Document `json:"documents"`
}

type accepted struct {
	Accepted int `json:"accepted"`
}

// errTooMany says that a request has more documents than are taken at once.
var errTooMany = errors.New("too many documents")

// managers are packages of documents that no agent writes.
var managers = []string{model.PackageAcks, model.PackageSilences}

func (s *server) postDocuments(w http.ResponseWriter, r *http.Request, _ params) {
	if !isJSON(w, r) {
		return
	}
	done := patience(w)
	body, err := parseDocuments(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		status := bodyStatus(err)
		if errors.Is(err, errTooMany) {
			status = http.StatusRequestEntityTooLarge
		}
		problem(w, r, status, err.Error())
		return
	}
	done()
	if url := r.Header.Get("Cassini-Agent-Url"); url != "" {
		if err := s.Backend.RegisterAgent(body.Host, url); err != nil {
			problem(w, r, http.StatusBadRequest, "header Cassini-Agent-Url: "+err.Error())
			return
		}
	}
	s.accept(w, r, body.Documents)
}

// parseDocuments reads a body whole and checks that it is of one host.
func parseDocuments(r io.Reader) (body documentsBody, err error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return body, fmt.Errorf("read body: %w", err)
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return body, fmt.Errorf("body is not the JSON that is wanted: %w", err)
	}
	if len(body.Documents) > maxDocuments {
		return body, fmt.Errorf("%w: %d, at most %d are taken at once", errTooMany, len(body.Documents), maxDocuments)
	}
	if body.Host == "" {
		return body, errors.New(`"host" is missing`)
	}
	for i, d := range body.Documents {
		if slices.Contains(managers, d.Package) {
			return body, fmt.Errorf("document %d of %d (%q): only the manager writes documents of this package", i+1, len(body.Documents), d.String())
		}
		if d.Host != body.Host {
			return body, fmt.Errorf("document %d of %d (%q) is of host %q, the body is of %q", i+1, len(body.Documents), d.String(), d.Host, body.Host)
		}
	}
	return body, nil
}

func (s *server) accept(w http.ResponseWriter, r *http.Request, docs []model.Document) {
	err := s.Backend.Accept(r.Context(), docs)
	switch {
	case err == nil:
		s.answer(w, r, accepted{len(docs)})
	case errors.Is(err, model.ErrInvalidDocument):
		problem(w, r, http.StatusBadRequest, err.Error())
	case r.Context().Err() != nil:
	default:
		s.Logger.Warn("documents could not be taken", "error", err)
		w.Header().Set("Retry-After", "10")
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	}
}

func name(p params) model.Name {
	return model.Name{Host: p.get("host"), Package: p.get("package"), Key: p.get("key")}
}

func (s *server) getDocuments(w http.ResponseWriter, r *http.Request, p params) {
	s.refresh(w, r, p)
	docs, err := s.Backend.Documents(r.Context(), name(p), p.at())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, docs)
}

func (s *server) getHistory(w http.ResponseWriter, r *http.Request, p params) {
	list, err := s.Backend.History(r.Context(), name(p), p.get("before"), p.numbers["limit"])
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, list)
}
