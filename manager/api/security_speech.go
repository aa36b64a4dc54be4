package api

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"cassini/manager/enroll"
)

// owned lets agents through to next that speak of their own host, and all others.
func (s *server) owned(rt route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, known := r.Context().Value(whoKey{}).(enroll.Who)
		if !known || who.Role != enroll.RoleAgent || s.ownSpeech(w, r, rt, who) {
			next.ServeHTTP(w, r)
		}
	})
}

// ownSpeech sees that an agent speaks of its own host alone, and answers it where it does
// not. The body is read here and given on.
func (s *server) ownSpeech(w http.ResponseWriter, r *http.Request, rt route, who enroll.Who) bool {
	if !loopback(r.RemoteAddr) {
		r.Header.Del("Cassini-Agent-Url") // it would be an address of another machine's loopback
	}
	host := r.URL.Query().Get("host")
	switch rt.path {
	case "/api/v1/enroll/renew", pathMachine: // the certificate says whose it is
		return true
	case pathDocuments, pathDeliveries, pathJoin:
		if r.Method != http.MethodPost {
			break
		}
		var ok bool
		if host, ok = s.spokenOf(w, r, rt.path); !ok {
			return false
		}
	}
	if host != who.Host {
		s.refuse(w, r, http.StatusForbidden, who.String(), "you are the agent of "+who.Host+" and speak of "+quoted(host)+": an agent speaks for its own host alone; if the host has another name now, let it join anew by it ('cassini join')")
		return false
	}
	return true
}

func quoted(host string) string {
	if host == "" {
		return "no host in particular"
	}
	return headerText(host)
}

// spokenOf is the host that a body is of, as the handler will have it too. One that cannot be
// read it refuses.
func (s *server) spokenOf(w http.ResponseWriter, r *http.Request, path string) (string, bool) {
	if path != pathJoin {
		body, ok := s.delivered(w, r, path)
		return body.Host, ok
	}
	raw, ok := s.intakeBody(w, r)
	if !ok {
		return "", false
	}
	var body struct {
		Host string `json:"host"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		s.refuseBody(w, r, fmt.Errorf("%w: %w", errMalformed, err))
		return "", false
	}
	return body.Host, true
}

func loopback(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
