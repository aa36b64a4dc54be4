package api

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// answerTimeout is how long one answer may take; event streams set their own
// limit.
const answerTimeout = 5 * time.Minute

// secure guards what is served to whoever can reach a loopback port, which
// includes web pages in a browser on this machine.
func (s *server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if r.ProtoMajor == 1 && len(r.TransferEncoding) > 0 {
			// It may have had a length too, by which a proxy sees another request where this one ends.
			h.Set("Connection", "close")
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout)) // not possible in tests without a server
		switch {
		case s.Enroll == nil && !trustedHost(r.Host):
			// A name that an attacker's DNS points here: the browser takes us for its site.
			problem(w, r, http.StatusMisdirectedRequest, "ask by address or as localhost, not as "+r.Host)
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("Origin") != "":
			problem(w, r, http.StatusForbidden, "web pages may not write here")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// trustedHost reports whether a Host header is no name that others can choose.
func trustedHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}
