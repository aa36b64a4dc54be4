package srv

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// UnreachableError says that no target was the manager, or none answered.
type UnreachableError struct {
	Service string
	Errs    []error // of each target that was tried
}

// Error implements error.
func (e *UnreachableError) Error() string {
	said := make([]string, len(e.Errs))
	for i, err := range e.Errs {
		said[i] = err.Error()
	}
	return fmt.Sprintf("of the managers that DNS names for %s (SRV) none could be reached: %s", e.Service, strings.Join(said, "; "))
}

// Unwrap gives what became of each.
func (e *UnreachableError) Unwrap() []error { return e.Errs }

// Dial connects to the manager: to the target in use, and if that fails, or has been in
// use for long, to the first that answers of those that DNS names. secure says how to hold
// a host of a name against the authority; a connection is returned after its handshake.
func (f *Finder) Dial(ctx context.Context, secure func(host string) *tls.Config) (net.Conn, error) {
	plan, fresh, err := f.plan(ctx)
	if err != nil {
		return nil, err
	}
	a := attempt{f: f, secure: secure, tried: make(map[string]bool)}
	conn := a.first(ctx, plan)
	if conn == nil && !fresh && ctx.Err() == nil {
		if plan, err = f.look(ctx); err != nil {
			return nil, err
		}
		conn = a.first(ctx, plan)
	}
	if conn != nil {
		return conn, nil
	}
	f.mu.Lock()
	f.looked = time.Time{}
	f.mu.Unlock()
	return nil, &UnreachableError{f.Service(), a.failed}
}

// attempt is one way through the targets.
type attempt struct {
	f      *Finder
	secure func(host string) *tls.Config
	tried  map[string]bool
	failed []error
}

// first connects to the first target that was not tried and can be reached, or returns nil.
func (a *attempt) first(ctx context.Context, plan []Target) net.Conn {
	for _, t := range plan {
		if a.tried[t.String()] {
			continue
		}
		a.tried[t.String()] = true
		conn, err := a.f.reach(ctx, t, a.secure)
		if err == nil {
			a.f.use(t, a.failed)
			return conn
		}
		a.failed = append(a.failed, fmt.Errorf("%s: %w", t, err))
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

func (f *Finder) reach(ctx context.Context, t Target, secure func(host string) *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	raw, err := f.dialer.DialContext(ctx, "tcp", rooted(t))
	if err != nil {
		return nil, err
	}
	cfg := secure(t.Host)
	cfg.ServerName = t.Host
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // it failed already
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return conn, nil
}

// use remembers where the manager was reached.
func (f *Finder) use(t Target, failed []error) {
	f.mu.Lock()
	before, moved := f.inUse, f.moved
	f.inUse = t
	f.mu.Unlock()
	switch {
	case before.same(t):
		return
	case before == Target{}:
		f.cfg.Logger.Info("found the manager by DNS", "service", f.Service(), "manager", t.String(), "not_reached", fmt.Sprint(failed))
		return
	}
	f.cfg.Logger.Warn("the manager is reached elsewhere", "service", f.Service(), "manager", t.String(), "before", before.String(), "not_reached", fmt.Sprint(failed))
	if moved != nil {
		moved()
	}
}

// rooted is where to connect to: an address, or a whole name, so that no search list counts.
func rooted(t Target) string {
	if t.Addr.IsValid() {
		return netip.AddrPortFrom(t.Addr, t.Port).String()
	}
	return net.JoinHostPort(t.Host+".", strconv.Itoa(int(t.Port)))
}
