package units

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// dropIn keeps what a unit says where the test finds it: there is no journal.
func dropIn(unit, more string) string {
	return fmt.Sprintf("[Service]\nStandardOutput=append:/run/%s.log\nStandardError=append:/run/%s.log\n%s", unit, unit, more)
}

// both are drop-ins of both units.
func both(agent, manager string) map[string]string {
	return map[string]string{
		"etc/systemd/system/cassini-agent.service.d/test.conf":   dropIn("agent", agent),
		"etc/systemd/system/cassini-manager.service.d/test.conf": dropIn("manager", manager),
	}
}

// process are lines of /proc/PID/status of a unit's process, by name.
func (m *machine) process(unit string) map[string]string {
	m.t.Helper()
	lines := make(map[string]string)
	for line := range strings.Lines(m.run("cat", "/proc/"+m.property(unit, "MainPID")+"/status")) {
		key, value, _ := strings.Cut(line, ":")
		lines[key] = strings.TrimSpace(value)
	}
	return lines
}

// TestUnits starts manager and agent as docs/operations.md says, and does to them what
// people and machines do.
func TestUnits(t *testing.T) {
	m := boot(t, both("", "Restart=on-failure\nRestartSec=100ms\n"))
	m.run("systemd-sysusers")
	// Type=notify: start returns when they have said that they are ready.
	m.run("systemctl", "start", "cassini-manager", "cassini-agent")
	for unit, rights := range map[string]string{"cassini-manager": "0000000000002000", "cassini-agent": "000000c000083004"} {
		if state := m.property(unit, "SubState"); state != "running" {
			t.Fatalf("%s is %s\n%s", unit, state, m.said())
		}
		p := m.process(unit)
		if uid := strings.Fields(p["Uid"]); uid[0] == "0" || p["CapEff"] != rights || p["CapBnd"] != rights || p["NoNewPrivs"] != "1" || p["Seccomp"] != "2" {
			t.Errorf("%s: uids %v, rights %s of %s, no new ones %s, seccomp %s; want no root, %s, 1 and 2", unit, uid, p["CapEff"], p["CapBnd"], p["NoNewPrivs"], p["Seccomp"], rights)
		}
		if text := m.property(unit, "StatusText"); text == "" {
			t.Errorf("%s says nothing of how it is", unit)
		}
	}
	if got := m.run("stat", "-c", "%U %a", "/var/lib/cassini"); got != "cassini 700" {
		t.Errorf("the data directory is %s", got)
	}
	m.hears()
	m.reloads()
	m.restarts()
	m.run("systemctl", "stop", "cassini-agent", "cassini-manager")
	for _, unit := range []string{"cassini-manager", "cassini-agent"} {
		if got := m.property(unit, "Result") + " " + m.property(unit, "SubState"); got != "success dead" {
			t.Errorf("%s stopped: %s\n%s", unit, got, m.said())
		}
	}
}

// hears wants the agent to hear from the kernel what its rights and its hardening let it.
func (m *machine) hears() {
	m.t.Helper()
	m.await("the manager's port and a client of it among services and dependencies", func() bool {
		return m.listens() && m.asked()
	})
	if said := m.run("cat", "/run/agent.log"); !strings.Contains(said, "hearing from the kernel") || strings.Contains(said, "level=ERROR") {
		m.t.Errorf("the agent said:\n%s", said)
	}
}

// listens says whether the manager's port is among services.
func (m *machine) listens() bool {
	m.t.Helper()
	services := tell[model.Service](m, "services")
	return slices.ContainsFunc(services, func(s model.Service) bool {
		return s.Port == 1984 && s.State == model.StateListening && s.Comm == "cassini"
	})
}

// asked says whether this program is among its clients, with the path that the kernel tells
// of what begins while the agent hears.
func (m *machine) asked() bool {
	m.t.Helper()
	deps := tell[model.DependencyView](m, "deps")
	return slices.ContainsFunc(deps, func(d model.DependencyView) bool { return d.Port == 1984 && d.Client.Exe == "/usr/bin/cassini" })
}

// tell asks the manager for a list; what cannot be asked is empty.
func tell[T any](m *machine, what string) (list []T) {
	m.t.Helper()
	out, err := m.try("sh", "-c", "cassini "+what+" -o json 2>/run/asked.log") // where it may warn
	if err != nil {
		return nil
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		m.t.Fatalf("%s: %v: %s", what, err, out)
	}
	return list
}

// reloads wants systemctl reload to have the configuration read again, and to leave things
// as they are where it is broken.
func (m *machine) reloads() {
	m.t.Helper()
	write := func(text string) {
		m.t.Helper()
		m.run("sh", "-c", "mkdir -p /etc/cassini && printf '%s\\n' '"+text+"' > /etc/cassini/cassini.yaml")
	}
	write("log-level: debug")
	m.run("systemctl", "reload", "cassini-manager")
	m.await("a reload by SIGHUP in the audit log", func() bool {
		audit, err := m.try("cassini", "audit", "-o", "json", "--action", "config.reload")
		return err == nil && strings.Contains(audit, `"signal SIGHUP"`) && strings.Contains(audit, "log-level") && strings.Contains(audit, `"done"`)
	})
	m.await("the unit to be ready again", func() bool { return m.property("cassini-manager", "SubState") == "running" })
	pid := m.property("cassini-manager", "MainPID")
	write("log-levels: debug")
	if out, err := m.try("systemctl", "reload", "cassini-manager"); err == nil {
		m.t.Errorf("a broken configuration is reloaded: %s", out)
	}
	if now := m.property("cassini-manager", "MainPID"); now != pid || m.property("cassini-manager", "ActiveState") != "active" {
		m.t.Errorf("the broken configuration stopped it: %s instead of %s", now, pid)
	}
	m.run("rm", "/etc/cassini/cassini.yaml")
}

// restarts kills the manager: systemd starts it again, and it has what it knew.
func (m *machine) restarts() {
	m.t.Helper()
	pid := m.property("cassini-manager", "MainPID")
	m.run("kill", "-KILL", pid)
	m.await("the manager to be started again", func() bool {
		return m.property("cassini-manager", "NRestarts") != "0" && m.property("cassini-manager", "SubState") == "running"
	})
	if now := m.property("cassini-manager", "MainPID"); now == pid {
		m.t.Error("it has the process that was killed")
	}
	m.await("what it knew, with the port that it listens on anew", m.listens)
}

// TestWatchdog stops the processes, so that they neither say anything nor end: systemd
// notices, and starts them again.
func TestWatchdog(t *testing.T) {
	const brief = "WatchdogSec=8s\nTimeoutStopSec=1s\nTimeoutAbortSec=1s\nRestartSec=100ms\n"
	m := boot(t, both(brief, brief))
	m.run("systemd-sysusers")
	m.run("systemctl", "start", "cassini-manager", "cassini-agent")
	for _, unit := range []string{"cassini-manager", "cassini-agent"} {
		first := m.property(unit, "WatchdogTimestampMonotonic")
		m.await(unit+" to tell the watchdog that it lives", func() bool { return m.property(unit, "WatchdogTimestampMonotonic") != first })
		pid := m.property(unit, "MainPID")
		m.run("kill", "-STOP", pid)
		m.await(unit+" to be started again by the watchdog", func() bool {
			now := m.property(unit, "MainPID")
			return now != pid && now != "0" && m.property(unit, "NRestarts") != "0" && m.property(unit, "SubState") == "running"
		})
	}
}

// TestSocketActivation has systemd open the port for metrics, and start the manager when
// somebody asks there.
func TestSocketActivation(t *testing.T) {
	files := both("", "Environment=CASSINI_METRICS_SYSTEMD_SOCKET=true\n")
	files["etc/systemd/system/cassini-manager.socket"] = "[Socket]\nListenStream=127.0.0.1:9984\n"
	m := boot(t, files)
	m.run("systemd-sysusers")
	m.run("systemctl", "start", "cassini-manager.socket")
	if state := m.property("cassini-manager.service", "ActiveState"); state != "inactive" {
		t.Fatalf("the manager is %s before anybody asks", state)
	}
	metrics := m.run("curl", "--silent", "--show-error", "--fail", "--max-time", "60", "http://127.0.0.1:9984/metrics")
	if !strings.Contains(metrics, "cassini_build_info") {
		t.Errorf("got %.300s", metrics)
	}
	m.await("the manager to be ready", func() bool { return m.property("cassini-manager.service", "SubState") == "running" })
}
