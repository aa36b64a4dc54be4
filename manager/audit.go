package manager

import (
	"strings"

	"cassini/manager/audit"
	"cassini/model"
)

// Reloaded notes that the configuration was read again since a signal asked for it. What
// the API is asked for is noted there.
func (m *Manager) Reloaded(done model.Reloaded, err error) {
	if !m.Replayed() {
		return // the log may not be open yet, and nothing was applied
	}
	e := audit.Entry{At: m.cfg.Now(), Who: "signal SIGHUP", Action: "config.reload", Detail: strings.Join(done.Applied, ", "), Result: audit.Done}
	if err != nil {
		e.Result, e.Why = audit.Failed, err.Error()
	}
	_ = m.audit.Add(e) // a failure is logged and counted
}

// AuditStats are the figures of the audit log; nil before it is open.
func (m *Manager) AuditStats() *model.AuditStats {
	if !m.Replayed() {
		return nil
	}
	stats := m.audit.Stats()
	return &stats
}
