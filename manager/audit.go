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

// tendAuthority takes files of certificates into use that were written anew, and retires an
// authority that was rotated when nobody needs it any more.
func (m *Manager) tendAuthority() {
	if m.enroll == nil {
		return
	}
	if changed, err := m.enroll.Reread(); err != nil {
		m.log.Error("certificates of another authority were written anew and cannot be used; those before stay", "error", err)
	} else if changed {
		m.log.Info("certificates of another authority are read again: they were written anew")
	}
	if m.waits() {
		return
	}
	retired, err := m.enroll.Tend(m.cfg.Now())
	if err != nil {
		m.log.Error("the old authority could not be retired; it is tried again", "error", err)
	}
	if retired {
		_ = m.audit.Add(audit.Entry{At: m.cfg.Now(), Who: "manager", Action: "authority.retire", Target: "sha256:" + m.enroll.Pin(), Detail: "nobody needs it, or its time is over", Result: audit.Done}) // a failure is logged and counted
	}
}

// AuditStats are the figures of the audit log; nil before it is open.
func (m *Manager) AuditStats() *model.AuditStats {
	if !m.Replayed() {
		return nil
	}
	stats := m.audit.Stats()
	return &stats
}
