package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cassini/manager/enroll"
	"cassini/manager/guests"
)

// everybody is the role that a route asks for which is served to whoever reaches it.
const everybody enroll.Role = ""

// needed is the role that a route asks for. What reads is a viewer's; what writes and is
// not named here is an admin's, so that a route that is added and forgotten is closed.
func needed(r route) enroll.Role {
	switch r.method + " " + r.path {
	case "GET /-/healthy", "GET /-/ready", "POST /api/v1/enroll":
		return everybody
	case "POST /api/v1/documents", "POST /api/v1/deliveries", "POST /api/v1/rings/join", "POST /api/v1/enroll/renew", "POST /api/v1/enroll/machine":
		return enroll.RoleAgent
	case "POST /api/v1/query", "POST /api/v1/wiring": // they read, whatever the method
		return enroll.RoleViewer
	case "POST /api/v1/rings/rotate", "POST /api/v1/incidents/ack", "POST /api/v1/silences", "POST /api/v1/silences/end":
		return enroll.RoleOperator
	case "GET /api/v1/tokens", "GET /api/v1/audit", "GET /debug/", "GET /api/v1/backup":
		return enroll.RoleAdmin
	}
	if r.method == http.MethodGet {
		return enroll.RoleViewer
	}
	return enroll.RoleAdmin
}

// errNobody says that a request bears nothing that tells who asks.
var errNobody = errors.New("who asks is not known: show a certificate, or a token (Authorization: Bearer; 'cassini --help' names --token and CASSINI_TOKEN)")

// who finds out who asks: the holder of a token, of a password, or else of a certificate.
func (s *server) who(r *http.Request) (enroll.Who, error) {
	if text, ok := bearer(r); ok {
		return s.Enroll.Bearer(text, s.Now())
	}
	if name, password, ok := r.BasicAuth(); ok {
		return s.Enroll.User(name, password, r.RemoteAddr, s.Now())
	}
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return s.Enroll.Shown(r.TLS.PeerCertificates, s.Now())
	}
	return enroll.Who{}, errNobody
}

// whoKey is where the context of a request has who asks.
type whoKey struct{}

// speaker says who asks, for people: the holder of a token, an agent, or whoever is at an
// address where nothing is asked.
func (s *server) speaker(r *http.Request) string {
	if who, ok := r.Context().Value(whoKey{}).(enroll.Who); ok {
		return who.String()
	}
	if loopback(r.RemoteAddr) {
		return "loopback"
	}
	return r.RemoteAddr
}

func bearer(r *http.Request) (string, bool) {
	scheme, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(text), ok && strings.EqualFold(scheme, "Bearer")
}

// authorized lets through who may. Without an authority everybody may do everything: the
// port is on loopback, or was opened in words.
func (s *server) authorized(rt route, next http.Handler) http.Handler {
	need := needed(rt)
	if s.Enroll == nil || need == everybody {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.who(r)
		if err != nil {
			s.refuseUnknown(w, r, who, err)
			return
		}
		guests.Known(r.Context())
		r = r.WithContext(context.WithValue(r.Context(), whoKey{}, who))
		noted(r).who = who.String()
		switch {
		case who.Role == enroll.RoleAgent && !agentMay(rt):
			s.refuse(w, r, http.StatusForbidden, who.String(), "this is not for agents: ask with the token or certificate of a person or program")
		case who.Role != enroll.RoleAgent && !who.Role.Includes(need):
			s.refuse(w, r, http.StatusForbidden, who.String(), "this is for role "+string(need)+", your "+who.Shows()+" is for "+string(who.Role))
		case who.Tenant != "" && !tenantMay(rt):
			s.refuse(w, r, http.StatusForbidden, who.String(), errEstate.Error())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// errNotAnyMore says that who asked may not read any more what is still being told.
var errNotAnyMore = errors.New("who asked may not any more")

// still says whether a request that lasts is still of who began it: a token may have been
// revoked since, or have ended. Errors wrap errNotAnyMore.
func (s *server) still(r *http.Request) error {
	was, known := r.Context().Value(whoKey{}).(enroll.Who)
	if !known {
		return nil // nobody is asked
	}
	who, err := s.who(r)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNotAnyMore, err)
	case who != was:
		return fmt.Errorf("%w: it is of %s now", errNotAnyMore, who)
	}
	return nil
}

// refuseUnknown answers who has not proved who he is. A user whom he claims to be is named
// in the log alone.
func (s *server) refuseUnknown(w http.ResponseWriter, r *http.Request, claims enroll.Who, err error) {
	name := ""
	if claims.User != "" {
		name = "not proved: user " + claims.User
		noted(r).who = name
	}
	if errors.Is(err, enroll.ErrBusy) {
		w.Header().Set("Retry-After", "6")
		s.refuse(w, r, http.StatusTooManyRequests, name, err.Error())
		return
	}
	w.Header().Add("WWW-Authenticate", `Bearer realm="cassini"`)
	if s.Enroll.Passwords() { // a browser asks for one then
		w.Header().Add("WWW-Authenticate", `Basic realm="cassini", charset="UTF-8"`)
	}
	s.refuse(w, r, http.StatusUnauthorized, name, err.Error())
}

// refuse answers who may not, and logs it: at most once a second as a warning, so that
// nobody can fill the log.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, status int, who, why string) {
	log := s.Logger.Debug
	if second := s.Now().Unix(); s.refused.Swap(second) != second {
		log = s.Logger.Warn
	}
	log("request refused", "from", r.RemoteAddr, "who", who, "request", r.Method+" "+r.URL.Path, "status", status, "why", why)
	problem(w, r, status, why)
}

// agentMay says whether a route is for agents at all. They read what is remembered of
// themselves, and nothing else.
func agentMay(rt route) bool {
	return needed(rt) == enroll.RoleAgent || slices.Contains([]string{"GET /api/v1/documents", "GET /api/v1/hashes"}, rt.method+" "+rt.path)
}
