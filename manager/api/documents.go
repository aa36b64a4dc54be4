package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"cassini/model"
	"cassini/model/delivery"
)

// Limits on one request.
const (
	maxBody     = 8 << 20
	maxSequence = 1 << 62 // no outbox lives to see it
)

type accepted struct {
	Accepted int `json:"accepted"`
}

// errMalformed says that a body is not what is wanted.
var errMalformed = errors.New("body not understood")

// postDocuments takes documents that are not numbered: of agents that speak protocol 1, and
// of scripts.
func (s *server) postDocuments(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := s.delivered(w, r, pathDocuments)
	if !ok {
		return
	}
	if _, ok := s.deliver(w, r, model.Batch{Host: body.Host, Documents: body.Documents}); ok {
		s.answer(w, r, accepted{len(body.Documents)})
	}
}

// postDeliveries takes documents that are numbered, so that none counts twice.
func (s *server) postDeliveries(w http.ResponseWriter, r *http.Request, _ params) {
	body, ok := s.delivered(w, r, pathDeliveries)
	if !ok {
		return
	}
	if body.Incarnation == 0 || body.Sequence == 0 || body.Sequence > maxSequence {
		s.refuseBody(w, r, fmt.Errorf("%w: incarnation %d and sequence %d number nothing", errMalformed, body.Incarnation, body.Sequence))
		return
	}
	if receipt, ok := s.deliver(w, r, model.Batch{Host: body.Host, First: body.Position, Documents: body.Documents, Check: body.Check}); ok {
		s.answer(w, r, receipt)
	}
}

// deliver brings a batch to the manager, or answers why it cannot.
func (s *server) deliver(w http.ResponseWriter, r *http.Request, b model.Batch) (receipt model.Receipt, ok bool) {
	if err := checkBatch(b, s.tenants()); err != nil {
		s.refuseBody(w, r, err)
		return receipt, false
	}
	if !s.speaks(w, r, b.Host) {
		return receipt, false
	}
	if url := r.Header.Get("Cassini-Agent-Url"); url != "" {
		if err := s.Backend.RegisterAgent(b.Host, url); err != nil {
			s.refuseBody(w, r, fmt.Errorf("%w: header Cassini-Agent-Url: %w", errMalformed, err))
			return receipt, false
		}
	}
	receipt, err := s.Backend.Deliver(r.Context(), b)
	switch {
	case err == nil:
		s.Deliveries.took(b, receipt)
		return receipt, true
	case errors.Is(err, model.ErrInvalidDocument):
		s.refuseBody(w, r, err)
	case r.Context().Err() != nil: // nobody is there to read it
	default:
		s.Logger.Warn("documents could not be taken", "error", err)
		w.Header().Set("Retry-After", "10")
		problem(w, r, http.StatusServiceUnavailable, err.Error())
	}
	return receipt, false
}

// tenants says whose each host is.
func (s *server) tenants() func(host string) string {
	if s.Enroll == nil {
		return func(string) string { return "" }
	}
	return s.Enroll.TenantOf
}

// checkBatch sees that documents are of one host, and that agents may write them.
func checkBatch(b model.Batch, tenantOf func(host string) string) error {
	if b.Host == "" {
		return fmt.Errorf(`%w: "host" is missing`, errMalformed)
	}
	for i, d := range b.Documents {
		if d.Package == model.PackageForgotten || slices.Contains(model.ManagerPackages(), d.Package) {
			return fmt.Errorf("%w: document %d of %d (%q): only the manager writes documents of this package", errMalformed, i+1, len(b.Documents), d.String())
		}
		if d.Host != b.Host {
			return fmt.Errorf("%w: document %d of %d (%q) is of host %q, the body is of %q", errMalformed, i+1, len(b.Documents), d.String(), d.Host, b.Host)
		}
		if err := checkVerdict(d, tenantOf); err != nil {
			return fmt.Errorf("%w: document %d of %d (%q): %w", errMalformed, i+1, len(b.Documents), d.String(), err)
		}
	}
	return nil
}

// checkVerdict sees that a verdict is not in the manager's name, is named for who says
// and who brings it, and is about what an agent can know of: hosts on rings with it, which are of
// its tenant. What cannot be read is the graph's to count.
func checkVerdict(d model.Document, tenantOf func(host string) string) error {
	if d.Package != model.PackageVerdicts || d.Gone() {
		return nil
	}
	var v model.Verdict
	if d.Decode(&v) != nil {
		return nil
	}
	subject := v.Subject.Host
	switch {
	case v.ID.Reporter == model.ManagerHost:
		return errors.New("it is a verdict in the manager's name, and the manager alone gives those")
	case v.Kind == model.VerdictSegment, v.Kind == model.VerdictPartition, v.Became != "", v.Was == model.VerdictSegment, v.Was == model.VerdictPartition:
		return errors.New("it is a verdict on more than a host, and the manager alone gives those")
	case subject != model.ManagerHost && tenantOf(subject) != tenantOf(d.Host):
		return errors.New("it is a verdict on a host that is not on rings with this one")
	}
	if want, err := model.VerdictDocument(v, d.Host); err == nil && want.Key != d.Key {
		return fmt.Errorf("it is a verdict that %s gives, whose key is %q", quoted(v.ID.Reporter), want.Key)
	}
	return nil
}

func name(p params) model.Name {
	return model.Name{Host: p.get("host"), Package: p.get("package"), Key: p.get("key")}
}

func (s *server) getDocuments(w http.ResponseWriter, r *http.Request, p params) {
	if r.Header.Get(delivery.Header) == "" { // an agent that starts asks what is remembered: it has nothing newer to say yet
		s.refresh(w, r, p)
	}
	docs, err := s.Backend.Documents(r.Context(), name(p), p.at())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerSmall(w, r, docs)
}

// getHashes is for an agent that compares what it has.
func (s *server) getHashes(w http.ResponseWriter, r *http.Request, p params) {
	hashes, err := s.Backend.Hashes(r.Context(), p.get("host"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answerSmall(w, r, hashes)
}

func (s *server) getHistory(w http.ResponseWriter, r *http.Request, p params) {
	list, err := s.Backend.History(r.Context(), name(p), p.get("before"), p.numbers["limit"])
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, list)
}
