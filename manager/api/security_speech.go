package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"

	"cassini/manager/enroll"
)

// ownSpeech sees that an agent speaks of its own host alone, and answers it where it does
// not. The body is read here and given on.
func (s *server) ownSpeech(w http.ResponseWriter, r *http.Request, rt route, who enroll.Who) bool {
	if !agentMay(rt) {
		s.refuse(w, r, http.StatusForbidden, who.String(), "this is not for agents: ask with a token")
		return false
	}
	if !loopback(r.RemoteAddr) {
		r.Header.Del("Cassini-Agent-Url") // it would be an address of another machine's loopback
	}
	host := r.URL.Query().Get("host")
	switch rt.path {
	case "/api/v1/enroll/renew": // the certificate says whose it is
		return true
	case "/api/v1/documents", "/api/v1/rings/join":
		if r.Method != http.MethodPost {
			break
		}
		var ok bool
		if host, ok = s.spokenOf(w, r); !ok {
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

// spokenOf is the host that a body is of. One that cannot be read is the handler's to
// refuse: it decodes the same field in the same way.
func (s *server) spokenOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	raw, ok := readBody(w, r, maxBody)
	if !ok {
		return "", false
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var body struct {
		Host string `json:"host"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		problem(w, r, http.StatusBadRequest, "body is not the JSON that is wanted: "+err.Error())
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
