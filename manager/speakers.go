package manager

import (
	"context"

	"cassini/manager/speakers"
	"cassini/model"
	"cassini/model/claim"
)

// Speaks implements api.Backend.
func (m *Manager) Speaks(ctx context.Context, host, mark string) (speakers.Answer, error) {
	if err := m.await(ctx); err != nil {
		return speakers.Later, err
	}
	known := func() string {
		machine, _ := m.graph.Machine(host, m.cfg.Now())
		return machine.Mark()
	}
	return m.speakers.Hear(host, mark, known, m.cfg.Now()), nil
}

// Introduce implements api.Backend.
func (m *Manager) Introduce(ctx context.Context, host string, machine model.Machine) (speakers.Answer, error) {
	if err := m.await(ctx); err != nil {
		return speakers.Later, err
	}
	has, _ := m.graph.Machine(host, m.cfg.Now())
	switch {
	case m.enroll != nil:
		has = m.enroll.Machine(host).Over(has)
	default:
		has = has.Over(m.promisedTo(host))
	}
	if host == m.cfg.Host {
		has = m.cfg.Machine.Over(has)
	}
	is, known := claim.Weigh(has, machine, true), m.speakers.Other(host, machine.Mark())
	answer := m.speakers.Introduce(host, machine.Mark(), is, m.graph.IsHeard(host), m.cfg.Now())
	switch {
	case answer == speakers.Another && !known:
		m.log.Warn("another machine runs with a copy of a host's data directory, or of its certificate: it cannot speak for that host", "host", host, "machine_id", machine.MachineID, "dmi_uuid", machine.DMI, "macs", machine.MACs)
	case answer == speakers.Itself && is == claim.Itself && m.enroll != nil:
		return answer, m.enroll.Remember(host, machine)
	}
	return answer, nil
}

// promisedTo is the machine that was given a name and did not report yet.
func (m *Manager) promisedTo(host string) model.Machine {
	m.promised.mu.Lock()
	defer m.promised.mu.Unlock()
	return m.promised.byHost[host].machine
}
