package manager

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"cassini/manager/audit"
	"cassini/model"
	"cassini/model/claim"
)

// How long machines are remembered to be refused after they asked last, and those that speak
// under another name since. They ask every quarter of a minute.
const (
	refusedFor  = 10 * time.Minute
	refusedSoon = time.Minute
)

// Bounds of what is remembered; beyond, machines are refused and nobody is told.
const (
	maxRefused      = 16 // of one host
	maxRefusedHosts = 1000
)

// refused are the machines that go by the names of hosts by certificates of another authority,
// and are others. They wait until somebody gives them certificates of their own, so that a
// person has to hear of them.
type refused struct {
	// telling is held while what is known is compared with the log and written there, and while
	// both forget a host: else it would be told of again in between.
	telling sync.Mutex

	mu     sync.Mutex
	known  bool // what the log has is in it
	byHost map[string][]*comer
}

// comer is one of them.
type comer struct {
	model.Claimant
	mark      string
	last      time.Time // when it asked
	elsewhere bool      // it spoke under another name since
}

// is says whether this is a machine, as far as can be told.
func (c *comer) is(mark string, m model.Machine) bool {
	return mark != "" && c.mark == mark || claim.Weigh(c.Machine, m, true) == claim.Itself
}

// add notes that a machine was refused, and says whether that is news.
func (f *refused) add(host, mark string, m model.Machine, from netip.Addr, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.byHost[host]
	at := slices.IndexFunc(list, func(c *comer) bool { return c.is(mark, m) })
	switch {
	case at >= 0:
		c := list[at]
		c.mark, c.last, c.elsewhere = mark, now, false
		if c.Machine.IsZero() {
			c.Machine = m
		}
		return false
	case len(list) >= maxRefused, len(list) == 0 && len(f.byHost) >= maxRefusedHosts:
		return false
	case f.byHost == nil:
		f.byHost = make(map[string][]*comer)
	}
	f.byHost[host] = append(list, &comer{Claimant: model.Claimant{Machine: m, Addr: from}, mark: mark, last: now})
	return true
}

// speaks notes that a machine speaks for a host: it is nobody who is refused there, and perhaps
// one that was refused elsewhere and has its own certificate now.
func (f *refused) speaks(host, mark string, m model.Machine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for of, list := range f.byHost {
		if of == host {
			f.keep(of, slices.DeleteFunc(list, func(c *comer) bool { return c.is(mark, m) }))
			continue
		}
		for _, c := range list {
			c.elsewhere = c.elsewhere || c.is(mark, m)
		}
	}
}

// keep has these left of a host. The lock is held.
func (f *refused) keep(host string, list []*comer) {
	if f.byHost[host] = list; len(list) == 0 {
		delete(f.byHost, host)
	}
}

func (f *refused) forget(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byHost, host)
}

// know takes in what the log has, once. That counts as heard now: the manager may have been away.
func (f *refused) know(told map[string]model.Refused, now time.Time) {
	f.mu.Lock()
	known := f.known
	f.known = true
	f.mu.Unlock()
	if known {
		return
	}
	for host, r := range told {
		for _, c := range r.Machines {
			f.add(host, c.Machine.Mark(), c.Machine, c.Addr, now)
		}
	}
}

// left are those that did not go away, by host.
func (f *refused) left(now time.Time) map[string]model.Refused {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make(map[string]model.Refused)
	for host, list := range f.byHost {
		list = slices.DeleteFunc(list, func(c *comer) bool {
			silent := now.Sub(c.last)
			return silent > refusedFor || c.elsewhere && silent > refusedSoon
		})
		f.keep(host, list)
		for _, c := range list {
			all[host] = model.Refused{Host: host, Machines: append(all[host].Machines, c.Claimant)}
		}
	}
	return all
}

// Refuse implements api.Backend.
func (m *Manager) Refuse(host, mark string, machine model.Machine, from netip.Addr) {
	if !m.refused.add(host, mark, machine, from, m.cfg.Now()) {
		return
	}
	_ = m.audit.Add(audit.Entry{ // a failure is logged and counted
		At: m.cfg.Now(), Who: "agent of " + host, From: from.String(), Action: "host.machine", Target: host, Result: audit.Refused,
		Detail: model.Claimant{Machine: machine}.String(), Why: "another machine is " + host + ", and another authority gave the certificate",
	})
}

// tellRefused writes down which machines are refused, where that is not as the log has it.
func (m *Manager) tellRefused(ctx context.Context) {
	m.refused.telling.Lock()
	defer m.refused.telling.Unlock()
	told := m.graph.Refused()
	m.refused.know(told, m.cfg.Now())
	left := m.refused.left(m.cfg.Now())
	var docs []model.Document
	tell := func(r model.Refused, gone bool) {
		doc, err := m.own(model.PackageRefused, r.Host, r, gone)
		if err != nil {
			m.log.Error("which machines are refused cannot be written down", "host", r.Host, "error", err)
			return
		}
		docs = append(docs, doc)
	}
	for host, r := range left {
		if !r.Equal(told[host]) {
			tell(r, false)
		}
	}
	for host, r := range told {
		if len(left[host].Machines) == 0 {
			tell(r, true)
		}
	}
	if len(docs) == 0 {
		return
	}
	if err := m.Accept(ctx, docs); err != nil && ctx.Err() == nil {
		m.log.Error("which machines are refused cannot be written down; it is tried again", "error", err)
	}
}
