package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"cassini/manager/enroll"
	"cassini/model"
	"cassini/model/delivery"
)

// errEncoding says that a body is encoded in a way that is not taken.
var errEncoding = errors.New("unknown Content-Encoding")

// intakeBody reads a body that agents send, decompressed, or answers why it cannot. It can be
// called again, and then gives the same.
func (s *server) intakeBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if !isJSON(w, r) {
		return nil, false
	}
	raw, err := bodyOf(w, r, maxBody)
	coding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	wire := len(raw)
	switch {
	case err != nil || coding == "" || coding == "identity":
	case coding == delivery.Encoding:
		raw, err = s.codec.Decompress(raw)
	default:
		err = fmt.Errorf("%w: %s, want %s or none", errEncoding, headerText(coding), delivery.Encoding)
	}
	if err != nil {
		s.refuseBody(w, r, err)
		return nil, false
	}
	if _, again := r.Body.(*readAgain); !again {
		s.Deliveries.read(wire, len(raw))
	}
	r.Body = &readAgain{Reader: bytes.NewReader(raw)}
	r.Header.Del("Content-Encoding")
	return raw, true
}

// delivered reads and decodes documents that somebody sends to a path, or answers why it
// cannot. It can be called again, and then gives the same.
func (s *server) delivered(w http.ResponseWriter, r *http.Request, path string) (body delivery.Body, ok bool) {
	if again, ok := r.Body.(*readAgain); ok && again.decoded != nil {
		return *again.decoded, true
	}
	raw, ok := s.intakeBody(w, r)
	if !ok {
		return body, false
	}
	decode := delivery.Decode
	if path == pathDocuments {
		decode = delivery.DecodeUnnumbered
	}
	body, err := decode(raw)
	if err != nil {
		s.refuseBody(w, r, fmt.Errorf("%w: %w", errMalformed, err))
		return body, false
	}
	r.Body = &readAgain{http.NoBody, &body}
	return body, true
}

// readAgain is a body that was read, and decoded where decoded is set: then there is nothing
// left to be read.
type readAgain struct {
	io.Reader
	decoded *delivery.Body
}

// Close implements io.Closer.
func (*readAgain) Close() error { return nil }

// refuseBody answers what was wrong with a body, logs and counts it.
func (s *server) refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	status, reason := bodyStatus(err), model.RefusedMalformed
	switch {
	case errors.Is(err, delivery.ErrTooLarge):
		status, reason = http.StatusRequestEntityTooLarge, model.RefusedBomb
	case errors.Is(err, delivery.ErrTooMany):
		status, reason = http.StatusRequestEntityTooLarge, model.RefusedTooLarge
	case errors.Is(err, errEncoding):
		w.Header().Set("Accept-Encoding", delivery.Encoding)
		status = http.StatusUnsupportedMediaType
	case errors.Is(err, os.ErrDeadlineExceeded):
		reason = model.RefusedSlow
	case errors.Is(err, model.ErrInvalidDocument):
		reason = model.RefusedInvalid
	case status == http.StatusRequestEntityTooLarge:
		reason = model.RefusedTooLarge
	}
	s.Deliveries.refused(reason)
	s.refuse(w, r, status, s.speaker(r), err.Error())
}

// admitted lets so many deliveries at once through to next, of each agent a few: who comes
// beyond that is asked to come again. Bodies are read behind it.
func (s *server) admitted(rt route, next http.Handler) http.Handler {
	if !rt.intake {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := ""
		if who, ok := r.Context().Value(whoKey{}).(enroll.Who); ok {
			host = who.Host
		}
		if err := s.Deliveries.enter(host); err != nil {
			w.Header().Set("Retry-After", retryAfter)
			s.refuse(w, r, http.StatusTooManyRequests, s.speaker(r), err.Error())
			return
		}
		defer s.Deliveries.leave(host)
		next.ServeHTTP(w, r)
	})
}

// versioned tells which versions of the protocol are taken, and refuses others.
func (s *server) versioned(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(delivery.Header, s.Protocol.String())
		w.Header().Set("Accept-Encoding", delivery.Encoding)
		theirs, err := delivery.ParseRange(r.Header.Get(delivery.Header))
		switch {
		case err != nil:
			problem(w, r, http.StatusBadRequest, "header "+delivery.Header+": "+err.Error())
		case (r.Header.Get(delivery.Header) != "" || fromAgents(r.URL.Path)) && !s.Protocol.Has(theirs.Newest):
			s.Deliveries.refused(model.RefusedVersion)
			w.Header().Set("Upgrade", "cassini/"+s.Protocol.String())
			s.refuse(w, r, http.StatusUpgradeRequired, "", fmt.Sprintf("%v (this is Cassini %s)", delivery.Mismatch(theirs, s.Protocol), s.Version))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Where agents send what they have to say.
const (
	pathDocuments  = "/api/v1/documents"
	pathDeliveries = "/api/v1/deliveries"
	pathJoin       = "/api/v1/rings/join"
	pathMachine    = "/api/v1/enroll/machine"
)

// fromAgents says whether a path is for agents alone: what comes there without a version
// is of protocol 1.
func fromAgents(path string) bool {
	return path == pathDocuments || path == pathDeliveries || path == pathJoin
}

// patient lets bodies take as long as the configuration says.
func (s *server) patient(next http.Handler) http.Handler {
	if s.BodyTimeout == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), patienceKey{}, s.BodyTimeout)))
	})
}
