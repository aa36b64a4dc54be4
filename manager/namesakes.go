package manager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"cassini/manager/api"
	"cassini/manager/enroll"
	"cassini/model"
	"cassini/model/claim"
)

// heardOf is for how long a host that said something is taken for up.
const heardOf = 5 * time.Minute

// known is what the documents of a host tell of its machine, for the authority.
func (m *Manager) known(host string) (k enroll.Known) {
	k.Machine, k.Live = m.graph.Machine(host, m.cfg.Now().Add(-heardOf))
	return k
}

// promised are names that were given to hosts which did not report yet. It is used where
// there is no authority, whose records say more.
type promised struct {
	mu     sync.Mutex
	byHost map[string]promise
}

type promise struct {
	name    string
	machine model.Machine
	at      time.Time
}

// A promise holds for so long, in which a host begins to report, and there are so many at
// most.
const (
	promisedFor = time.Hour
	maxPromised = 10_000
)

// errPromised says that the bound is reached.
var errPromised = errors.New("too many hosts have asked for a name and said nothing since")

// Name implements api.Backend.
func (m *Manager) Name(ctx context.Context, name string, machine model.Machine) (string, error) {
	if err := m.await(ctx); err != nil {
		return "", err
	}
	p := &m.promised
	p.mu.Lock()
	defer p.mu.Unlock()
	now := m.cfg.Now()
	maps.DeleteFunc(p.byHost, func(_ string, of promise) bool { return now.Sub(of.at) >= promisedFor })
	host, err := m.nameOf(name, machine)
	if err != nil || p.byHost[host].name != "" {
		return host, err
	}
	if err := p.makeRoom(func(host string) bool { return m.known(host).Machine.IsZero() }); err != nil {
		return "", err
	}
	p.byHost[host] = promise{name, machine, now}
	if host != name {
		m.log.Warn("another machine has the name of a host that begins to report: it is told from that one by a number", "name", name, "host", host)
	}
	return host, nil
}

// nameOf is what a machine is called. The lock is held.
func (m *Manager) nameOf(name string, machine model.Machine) (string, error) {
	if len(name) > model.MaxHostName {
		return "", fmt.Errorf("%w: the host name has more than %d bytes", api.ErrInvalid, model.MaxHostName)
	}
	hosts := m.graph.Named(name)
	for host, of := range m.promised.byHost {
		if of.name == name && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if name == m.cfg.Host && !slices.Contains(hosts, name) {
		hosts = append(hosts, name)
	}
	if len(hosts) == 0 {
		return name, nil
	}
	slices.Sort(hosts)
	if host, ok := claim.Choose(hosts, func(host string) claim.Claim { return m.claims(host, machine) }); ok {
		return host, nil
	}
	next := 1
	for _, host := range hosts {
		_, n := model.CutNamesake(host)
		next = max(next, n)
	}
	for next++; m.isCalled(model.Namesake(name, next)); {
		next++ // long names that are alike
	}
	return model.Namesake(name, next), nil
}

// isCalled says whether a host is called so, or will be. The lock is held.
func (m *Manager) isCalled(host string) bool {
	return m.promised.byHost[host].name != "" || m.graph.Knows(host)
}

// claims says what a machine is to a host that reported, or that was given its name.
func (m *Manager) claims(host string, machine model.Machine) claim.Claim {
	has := m.known(host)
	has.Machine = has.Machine.Over(m.promised.byHost[host].machine)
	if host == m.cfg.Host {
		has.Machine = has.Machine.Over(m.cfg.Machine)
	}
	if m.speakers.Other(host, machine.Mark()) {
		return claim.Another
	}
	return claim.Of(has.Machine, machine, false, func() bool { return has.Live })
}

// makeRoom forgets what hosts were given that have reported since, if it has to.
func (p *promised) makeRoom(silent func(host string) bool) error {
	if len(p.byHost) < maxPromised {
		return nil
	}
	for host := range p.byHost {
		if !silent(host) {
			delete(p.byHost, host)
		}
	}
	if len(p.byHost) >= maxPromised {
		return errPromised
	}
	return nil
}
