package guests

import (
	"context"
	"net/http"
	"net/netip"
)

// Bounds of guests' requests that are under way. HTTP/2 lets each connection have 250 of them, and
// one whose body does not come, or whose answer is not read, stays for as long as it may.
const (
	maxRequestsEach = 2 * MaxEach // of one address, or one network of 64 bits
	maxRequestsAll  = 2 * MaxAll
)

// visit is one request on a guest's connection.
type visit struct {
	guests *Guests
	from   netip.Prefix
	over   bool // or no guest's any more; guarded by guests.mu
}

type visitKey struct{}

// Handler bounds the requests that come on connections of guests to what next serves: those beyond
// are broken off without an answer, which nobody might read.
func (s *Guests) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := r.Context().Value(key{}).(*conn)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		v, ok := s.begin(c)
		if !ok {
			s.tell("who connects and does not show who it is has too many requests under way: more are broken off", "last_from", c.from.String())
			panic(http.ErrAbortHandler)
		}
		defer s.end(v)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// begin counts a request of a guest, if there is room. Those on other connections are not bounded.
func (s *Guests) begin(c *conn) (*visit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &visit{guests: s, from: c.from}
	switch {
	case c.at == nil:
		v.over = true
	case s.requests[c.from] >= s.maxRequestsEach || s.underway >= s.maxRequestsAll:
		s.stats.BrokenOff++
		return nil, false
	default:
		s.requests[c.from]++
		s.underway++
	}
	return v, true
}

func (s *Guests) end(v *visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.over {
		return
	}
	v.over = true
	s.underway--
	if s.requests[v.from]--; s.requests[v.from] == 0 {
		delete(s.requests, v.from)
	}
}
