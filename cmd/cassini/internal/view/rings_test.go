package view

import (
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

func members(hosts ...string) (list []model.RingMember) {
	for _, h := range hosts {
		list = append(list, model.RingMember{Host: h})
	}
	return list
}

func TestRings(t *testing.T) {
	golden(t, "rings", Rings([]model.RingHealth{
		{Ring: model.Ring{ID: "top/1", Level: 1, Epoch: 12, Members: members("web-17", "db-3")}, State: model.RingWhole},
		{Ring: model.Ring{ID: "switch:00:1b:fc:00:00:0a", Epoch: 1795254000, Members: members("web-17", "web-18", "web-19")}, State: model.RingTorn, Unwell: []string{"web-18", "web-19"}, Unacknowledged: []string{"web-17"}},
		{Ring: model.Ring{ID: "subnet:10.0.0.0/24", Epoch: 3, Members: members("db-3", "evil\x1b[31m")}, State: model.RingMending, Unacknowledged: []string{"db-3"}},
		{Ring: model.Ring{ID: "subnet:10.2.0.0/24", Epoch: 9, Members: members("a", "b", "c", "d", "e")}, State: model.RingTorn, Unwell: []string{"a", "b", "c", "d", "e"}},
		{Ring: model.Ring{ID: "subnet:10.1.0.0/24", Epoch: 1, Members: members("lone")}, State: model.RingWhole},
	}))
}

// TestRingsOfTenants has a column more.
func TestRingsOfTenants(t *testing.T) {
	golden(t, "rings-of-tenants", Rings([]model.RingHealth{
		{Ring: model.Ring{ID: "switch:00:1b:fc:00:00:0a", Epoch: 12, Members: members("core-1", "core-2")}, State: model.RingWhole},
		{Ring: model.Ring{ID: "switch:00:1b:fc:00:00:0a#2", Tenant: "shop", Epoch: 7, Members: members("shop-1", "shop-2")}, State: model.RingWhole},
	}))
}

func TestLiveness(t *testing.T) {
	host := func(name, state string, since time.Duration, edit ...func(*model.HostLiveness)) model.HostLiveness {
		h := model.HostLiveness{
			Host: name, Addr: netip.MustParseAddrPort("10.0.0.17:1985"), Zone: "subnet:10.0.0.0/24", Incarnation: 3, State: state, Since: now.Add(-since),
			Watch: "kernel", WatchedBy: []string{"web-16", "web-18"},
		}
		for _, do := range edit {
			do(&h)
		}
		return h
	}
	unwatched := func(h *model.HostLiveness) { h.WatchedBy = nil }
	golden(t, "hosts", Liveness([]model.HostLiveness{
		host("boss", "up", time.Minute, unwatched, func(h *model.HostLiveness) { h.Zone, h.Watch = "", "" }),
		host("web-17", "up", 50*time.Hour),
		host("web-18", "hung", 8*time.Second, func(h *model.HostLiveness) { h.Watch = "user" }),
		host("web-19", "crashed", 3*time.Minute, unwatched),
		host("web-20", "shut-down", time.Hour, unwatched),
		host("web-21", "stopped", time.Hour, unwatched),
		host("web-22", "unobservable", time.Second, func(h *model.HostLiveness) { h.WatchedBy = []string{model.ManagerHost} }),
		host("web-23", "link-down", time.Second),
		host("web-24", "ended", 0, unwatched),
	}, now))
}

func TestIncidents(t *testing.T) {
	seen := func(sights ...model.Sight) (list []model.Observation) {
		for n, s := range sights {
			list = append(list, model.Observation{Observer: []string{"web-16", "web-18", model.ManagerHost, "db-3", "db-4", "db-5", "db-6", "db-7"}[n], Sight: s})
		}
		return list
	}
	report := model.Verdict{Evidence: model.Evidence{Silent: 3040 * time.Millisecond, Probes: 5, Observations: seen(model.SightNothing, model.SightNothing, model.SightUnable)}}
	every := model.Verdict{Evidence: model.Evidence{Observations: seen(model.SightAgent, model.SightRefused, model.SightKernel, model.SightLeft, model.SightNothing, model.SightUnable, model.SightPending, "odd")}}
	golden(t, "incidents", Incidents([]model.Incident{
		{Kind: model.VerdictCrashed, Severity: model.SeverityCritical, State: model.IncidentOpen, Opened: now.Add(-8 * time.Second), Subjects: []string{"web-17"},
			Reports: []model.Verdict{report}, Summary: "web-17 crashed: nobody hears anything from there (switch:00:1b:fc:00:00:0a)"},
		{Kind: model.VerdictHung, Severity: model.SeverityWarning, State: model.IncidentOpen, Opened: now.Add(-time.Minute), Subjects: []string{"db-3"},
			Reports: []model.Verdict{every, report}, Summary: "db-3: the agent hangs or starves, the host's kernel answers"},
		{Kind: model.VerdictSegment, Severity: model.SeverityCritical, State: model.IncidentClosed, Opened: now.Add(-time.Hour), Closed: now.Add(-time.Hour + 83456*time.Millisecond),
			Reports: []model.Verdict{report, report}, More: 7, Summary: "subnet:10.0.0.0/24 lost: nothing is heard of any host there; over"},
		{Kind: model.VerdictCrashed, Severity: model.SeverityCritical, State: model.IncidentCorrected, Opened: now.Add(-2 * time.Hour), Closed: now.Add(-2 * time.Hour),
			Reports: []model.Verdict{{}}, Summary: "web-18\x1b[2J crashed"},
		{Kind: model.VerdictShutdown, Severity: model.SeverityInfo, State: model.IncidentMerged, Opened: now.Add(-50 * time.Hour), Summary: "web-19 shut down in order"},
	}, now))
}
