package guests

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"cassini/model"
	"cassini/transport/httpd"
)

// Bounds of guests' connections.
const (
	MaxEach = 1024 // of one address, or one network of 64 bits
	MaxAll  = 4096
	// chance is how long each may take to show something; beyond the bounds those that took
	// longer make room, the oldest first, and where there are none who comes is turned away.
	chance = 5 * time.Second
	// tellAgain is how long nothing more is logged of that.
	tellAgain = time.Minute
)

// Guests are the connections of those who have not shown who they are. They are safe for
// concurrent use.
type Guests struct {
	maxEach, maxAll                 int
	maxRequestsEach, maxRequestsAll int

	now func() time.Time
	log *slog.Logger

	mu       sync.Mutex
	all      list.List // of *conn, the oldest first
	from     map[netip.Prefix]int
	requests map[netip.Prefix]int // that are under way
	underway int                  // all of them
	stats    model.GuestStats
	told     time.Time
}

// New makes bounds for one server.
func New(log *slog.Logger) *Guests {
	return &Guests{
		maxEach: MaxEach, maxAll: MaxAll, maxRequestsEach: maxRequestsEach, maxRequestsAll: maxRequestsAll,
		now: time.Now, log: log, from: make(map[netip.Prefix]int), requests: make(map[netip.Prefix]int),
	}
}

// Listen bounds what a listener accepts.
func (s *Guests) Listen(l net.Listener) net.Listener { return &listener{l, s} }

type listener struct {
	net.Listener
	guests *Guests
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) { // else the server ends
				l.guests.tell("a connection could not be accepted", "error", err)
			}
			return nil, err
		}
		if in, ok := l.guests.enter(c); ok {
			return in, nil
		}
		_ = c.Close() // it has been told nothing
	}
}

// conn is one of the connections.
type conn struct {
	net.Conn
	guests *Guests
	from   netip.Prefix
	since  time.Time
	at     *list.Element // nil: it is no guest's, or closed
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.guests.leave(c)
	return c.Conn.Close()
}

// enter takes a connection in, if there is room or another makes it.
func (s *Guests) enter(nc net.Conn) (net.Conn, bool) {
	c := &conn{Conn: nc, guests: s, from: httpd.Network(nc.RemoteAddr().String()), since: s.now()}
	oldest, ok := s.add(c)
	if oldest != nil {
		_ = oldest.Close() // its reader is told
	}
	if oldest != nil || !ok {
		s.tell("who connects and does not show who it is has too many connections: the oldest are closed, or new ones turned away", "last_from", c.from.String())
	}
	return c, ok
}

// add adds a connection, and says which one has to make room for it, if any.
func (s *Guests) add(c *conn) (oldest *conn, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.from[c.from] >= s.maxEach:
		oldest = s.oldest(func(other *conn) bool { return other.from == c.from })
	case s.all.Len() >= s.maxAll:
		oldest = s.oldest(func(*conn) bool { return true })
	}
	if oldest != nil && c.since.Sub(oldest.since) < chance {
		s.stats.TurnedAway++
		return nil, false
	}
	if oldest != nil {
		s.stats.Closed++
	}
	c.at = s.all.PushBack(c)
	s.from[c.from]++
	return oldest, true
}

// oldest is the first that is meant. The lock is held.
func (s *Guests) oldest(meant func(*conn) bool) *conn {
	for e := s.all.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*conn); meant(c) {
			return c
		}
	}
	return nil
}

// leave takes a connection off the list.
func (s *Guests) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.at == nil {
		return
	}
	s.all.Remove(c.at)
	c.at = nil
	if s.from[c.from]--; s.from[c.from] == 0 {
		delete(s.from, c.from)
	}
}

// tell logs a warning, unless one was logged a short while ago.
func (s *Guests) tell(what string, args ...any) {
	now := s.now()
	s.mu.Lock()
	recent := !s.told.IsZero() && now.Sub(s.told) < tellAgain
	if !recent {
		s.told = now
	}
	stats := s.stats
	stats.Open = s.all.Len()
	s.mu.Unlock()
	if !recent {
		s.log.Warn(what, append(args, "guests", stats.Open, "closed", stats.Closed, "turned_away", stats.TurnedAway, "broken_off", stats.BrokenOff)...)
	}
}

// Stats are the figures since the start.
func (s *Guests) Stats() model.GuestStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Open = s.all.Len()
	return stats
}

type key struct{}

// Context is for http.Server.ConnContext: requests know their connection by it.
func Context(ctx context.Context, nc net.Conn) context.Context {
	if secure, ok := nc.(*tls.Conn); ok {
		nc = secure.NetConn()
	}
	if c, ok := nc.(*conn); ok {
		return context.WithValue(ctx, key{}, c)
	}
	return ctx
}

// Known says that who sent a request with this context has shown who it is: neither the request nor its
// connection is a guest's from now on.
func Known(ctx context.Context) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		v.guests.end(v)
	}
	if c, ok := ctx.Value(key{}).(*conn); ok {
		c.guests.leave(c)
	}
}
