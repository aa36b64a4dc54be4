package manager

import (
	"context"
	"net/netip"
	"slices"

	"cassini/manager/speakers"
	"cassini/model"
	"cassini/model/claim"
)

// Speaks implements api.Backend.
func (m *Manager) Speaks(ctx context.Context, host, mark string) (speakers.Answer, error) {
	if err := m.await(ctx); err != nil {
		return speakers.Later, err
	}
	answer := m.speakers.Hear(host, mark, func() string { return m.reported(host).Mark() }, m.cfg.Now())
	if answer == speakers.Itself {
		m.refused.speaks(host, mark, model.Machine{})
	}
	return answer, nil
}

// reported is what the log has of the machine of a host.
func (m *Manager) reported(host string) model.Machine {
	machine, _ := m.graph.Machine(host, m.cfg.Now())
	return machine
}

// Introduce implements api.Backend.
func (m *Manager) Introduce(ctx context.Context, host string, machine model.Machine, from netip.Addr) (speakers.Answer, error) {
	if err := m.await(ctx); err != nil {
		return speakers.Later, err
	}
	reported := m.reported(host)
	has := reported
	switch {
	case m.enroll != nil:
		has = m.enroll.Machine(host).Over(has)
	default:
		has = has.Over(m.promisedTo(host))
	}
	if host == m.cfg.Host {
		has = m.cfg.Machine.Over(has)
	}
	is, known := claim.Holds(has, reported, machine), m.speakers.Other(host, machine.Mark())
	answer := m.speakers.Introduce(host, machine.Mark(), is, reported.Mark, func(heard bool) bool {
		return m.graph.IsHeard(host) && (heard || !m.onRingsAt(ctx, host, from))
	}, m.cfg.Now())
	if answer == speakers.Itself {
		m.refused.speaks(host, machine.Mark(), machine)
	}
	switch {
	case answer == speakers.Another && !known:
		m.log.Warn("another machine runs with a copy of a host's data directory, or of its certificate: it cannot speak for that host", "host", host, "machine_id", machine.MachineID, "dmi_uuid", machine.DMI, "macs", machine.MACs)
	case answer == speakers.Itself && is == claim.Itself && m.enroll != nil:
		return answer, m.enroll.Remember(host, machine)
	}
	return answer, nil
}

// onRingsAt says whether a host is on rings at an address: then it is heard there, and not elsewhere.
func (m *Manager) onRingsAt(ctx context.Context, host string, addr netip.Addr) bool {
	v, err := m.Rings(ctx)
	return err == nil && slices.ContainsFunc(v.Hosts, func(h model.HostLiveness) bool { return h.Host == host && h.Addr.Addr().Unmap() == addr.Unmap() })
}

// promisedTo is the machine that was given a name and did not report yet.
func (m *Manager) promisedTo(host string) model.Machine {
	m.promised.mu.Lock()
	defer m.promised.mu.Unlock()
	return m.promised.byHost[host].machine
}
