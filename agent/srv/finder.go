package srv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// refresh is how long a target is used before DNS is asked whether there is a better one.
	// Nothing is asked while nothing is sent.
	refresh = 5 * time.Minute
	// again is when DNS is asked again that did not answer, while the manager does.
	again = 30 * time.Second
	// One target after the other, all of them and the question fit into half a minute: as
	// long as an agent waits for an answer.
	reachTimeout  = 3 * time.Second
	lookupTimeout = 5 * time.Second
)

// Config is what New needs.
type Config struct {
	Domain   string        // see Domain
	Resolver *net.Resolver // nil is that of this machine
	Logger   *slog.Logger
}

// Finder knows where the manager of a domain is. It is safe for concurrent use.
type Finder struct {
	cfg    Config
	dialer net.Dialer
	pick   func(n int) int
	now    func() time.Time

	mu     sync.Mutex
	known  []Target  // as they are to be tried; what the last good answer said
	looked time.Time // when that came; zero: ask again
	inUse  Target    // the last that was reached
	moved  func()
	warned string // what was said last about answers
}

// New makes a finder. Nothing is asked yet.
func New(cfg Config) *Finder {
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	return &Finder{cfg: cfg, dialer: net.Dialer{Resolver: cfg.Resolver}, pick: rand.IntN, now: time.Now}
}

// Service is the name that DNS is asked for.
func (f *Finder) Service() string { return service + f.cfg.Domain }

// OnMove has a function called whenever the manager is reached at another target than
// before. It must not block.
func (f *Finder) OnMove(moved func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved = moved
}

// LocalAddr is this host's address on the way to the target in use, or to the first of
// those that DNS names. Nothing is sent to it.
func (f *Finder) LocalAddr(ctx context.Context) (netip.Addr, error) {
	plan, _, err := f.plan(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	var failed []error
	for _, t := range plan {
		conn, err := f.dialer.DialContext(ctx, "udp", rooted(t))
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", t, err))
			continue
		}
		defer conn.Close()
		return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
	}
	return netip.Addr{}, &UnreachableError{f.Service(), failed}
}

// plan is what to try, in order: the target in use, or what DNS says where that is fresh.
func (f *Finder) plan(ctx context.Context) (plan []Target, fresh bool, err error) {
	f.mu.Lock()
	inUse, looked := f.inUse, f.looked
	f.mu.Unlock()
	if inUse != (Target{}) && !looked.IsZero() && f.now().Sub(looked) < refresh {
		return []Target{inUse}, false, nil
	}
	plan, err = f.look(ctx)
	return plan, true, err
}

// look asks DNS. Where it fails, what it said before still counts.
func (f *Finder) look(ctx context.Context) ([]Target, error) {
	targets, remark, err := f.ask(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && len(f.known) == 0 {
		return nil, err
	}
	if err != nil {
		remark, f.looked = err.Error(), f.now().Add(again-refresh)
	} else {
		f.known, f.looked = f.preferred(targets), f.now()
	}
	if remark != "" && remark != f.warned {
		f.cfg.Logger.Warn("what DNS says of the manager", "service", f.Service(), "problem", remark, "used", fmt.Sprint(f.known))
	}
	f.warned = remark
	return slices.Clone(f.known), nil
}

// preferred puts the target in use first among those of its priority, so that no agent
// changes its manager by the dice.
func (f *Finder) preferred(targets []Target) []Target {
	at := slices.IndexFunc(targets, f.inUse.same)
	if at < 0 {
		return targets
	}
	t := targets[at]
	first := slices.IndexFunc(targets, func(o Target) bool { return o.Priority == t.Priority })
	return slices.Insert(slices.Delete(targets, at, at+1), first, t)
}

// ask asks where the manager is, and says what was left out of the answer.
func (f *Finder) ask(ctx context.Context) (targets []Target, remark string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if f.cfg.Domain == local {
		targets, remark, err = f.askAround(ctx)
	} else {
		targets, remark, err = f.askDNS(ctx)
	}
	if err != nil {
		return nil, "", err
	}
	targets = order(targets, f.pick)
	if len(targets) > MaxTargets {
		remark = fmt.Sprintf("of %d targets %d are used", len(targets), MaxTargets)
		targets = targets[:MaxTargets]
	}
	return targets, remark, nil
}

// askDNS asks the name server.
func (f *Finder) askDNS(ctx context.Context) (targets []Target, remark string, err error) {
	// The dot keeps search lists of resolv.conf out.
	_, records, err := f.cfg.Resolver.LookupSRV(ctx, "", "", f.Service()+".")
	if err != nil && len(records) == 0 {
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
			return nil, "", fmt.Errorf("ask DNS where the manager is: there are no SRV records of %s: %w", f.Service(), err)
		}
		return nil, "", fmt.Errorf("ask DNS where the manager is (SRV of %s): %w", f.Service(), err)
	}
	targets, refused, err := usable(records)
	if err != nil {
		return nil, "", fmt.Errorf("ask DNS where the manager is (SRV of %s): %w", f.Service(), err)
	}
	if refused > 0 {
		remark = fmt.Sprintf("%d of %d records are not used: no name of a host, port 0, or twice the same", refused, len(records))
	}
	return targets, remark, nil
}
