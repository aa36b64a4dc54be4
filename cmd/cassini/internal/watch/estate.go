package watch

import (
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

var estateColumns = []column{
	{title: "WHAT", least: 8, order: leastFirst}, {title: "NAME", flex: true}, {title: "STATE", least: 9}, {title: "SINCE", least: 10, order: leastFirst},
	{title: "TELLS", flex: true},
}

// Where incidents and hosts stand in their order.
const (
	openIncident = iota
	illHost
	wellHost
	pastIncident
)

// health is what a state of a host means.
type health uint8

const (
	up health = iota
	ill
	off // in good order
)

func healthOf(h model.HostLiveness) health {
	switch h.State {
	case "up":
		return up
	case "stopped", "shut-down":
		return off
	}
	return ill
}

func hostID(h model.HostLiveness) string { return "host " + h.Host }

func incidentID(i model.Incident) string { return "incident " + i.ID }

// estateRows are incidents and hosts.
func (m *Model) estateRows(now time.Time) []row {
	var rows []row
	for _, h := range m.picture.Hosts {
		rows = append(rows, hostRow(h, now))
	}
	for _, i := range m.picture.Incidents {
		rows = append(rows, incidentRow(i, now))
	}
	return rows
}

func hostRow(h model.HostLiveness, now time.Time) row {
	rank, state := wellHost, output.Green
	switch healthOf(h) {
	case ill:
		rank, state = illHost, output.Red
	case off:
		state = output.Dim
	}
	by := "watched by " + strings.Join(h.WatchedBy, " ")
	if len(h.WatchedBy) == 0 {
		by = "watched by nobody"
	}
	if h.Zone != "" {
		by += ", in " + h.Zone
	}
	r := row{id: hostID(h), mark: fresh(h.Since, now), also: h.Addr.String(), cells: []cell{
		{text: "host", n: float64(rank)}, {text: h.Host}, {text: h.State, style: state}, ago(h.Since, now), {text: by}}}
	r.clean()
	return r
}

func incidentRow(i model.Incident, now time.Time) row {
	rank, state, at := openIncident, output.Yellow, i.Opened
	switch {
	case i.State != model.IncidentOpen:
		rank, state = pastIncident, output.Dim
		if !i.Closed.IsZero() {
			at = i.Closed
		}
	case i.Severity == model.SeverityCritical:
		state = output.Red
	}
	r := row{id: incidentID(i), faded: rank == pastIncident, weight: float64(i.Opened.Unix()), also: strings.Join(i.Subjects, " "), cells: []cell{
		{text: "incident", n: float64(rank)}, {text: string(i.Kind)}, {text: i.State, style: state}, ago(at, now), {text: i.Summary}}}
	if rank == openIncident {
		r.mark = fresh(at, now)
	}
	r.clean()
	return r
}

func fresh(at, now time.Time) string {
	if within(at, now) {
		return markNew
	}
	return ""
}

func ago(at, now time.Time) cell {
	return cell{text: output.Ago(at, now), n: now.Sub(at).Seconds()}
}
