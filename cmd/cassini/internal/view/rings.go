package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Rings lays out rings, those of representatives first.
func Rings(list []model.RingHealth) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "RING", Flex: true}, {Title: "TENANT"}, {Title: "LEVEL", Right: true}, {Title: "EPOCH", Right: true}, {Title: "MEMBERS", Right: true},
		{Title: "STATE"}, {Title: "IN ORDER", Flex: true},
	}}
	for _, r := range list {
		names := make([]string, 0, len(r.Members))
		for _, m := range r.Members {
			names = append(names, m.Host)
		}
		state := output.Cell{Text: r.State, Style: output.Green}
		switch {
		case len(r.Unwell) > 0:
			state = output.Cell{Text: r.State + ": " + some(r.Unwell), Style: output.Red}
		case r.State == model.RingMending:
			state.Style = output.Yellow
		}
		table.Add(output.Plain, output.Cell{Text: string(r.ID)}, output.Cell{Text: r.Tenant}, output.Cell{Text: strconv.Itoa(r.Level)}, output.Cell{Text: strconv.FormatUint(uint64(r.Epoch), 10)},
			output.Cell{Text: strconv.Itoa(len(names))}, state, output.Cell{Text: strings.Join(names, " > ")})
	}
	return table.DropEmpty("TENANT")
}

// some are the first of many names.
func some(names []string) string {
	const shown = 3
	text := strings.Join(names[:min(len(names), shown)], " ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Liveness lays out hosts with who watches them.
func Liveness(list []model.HostLiveness, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "HOST"}, {Title: "STATE"}, {Title: "SINCE"}, {Title: "ZONE", Flex: true}, {Title: "LIFE", Right: true}, {Title: "WATCH"}, {Title: "WATCHED BY", Flex: true},
	}}
	for _, h := range list {
		by := strings.Join(h.WatchedBy, " ")
		if by == "" && h.State == "up" {
			by = "nobody: it is the manager's own machine, and alone"
		}
		table.Add(output.Plain, output.Cell{Text: h.Host}, output.Cell{Text: h.State, Style: stateStyle(h.State)}, output.Cell{Text: output.Ago(h.Since, now)},
			output.Cell{Text: orDash(h.Zone)}, output.Cell{Text: strconv.FormatUint(uint64(h.Incarnation), 10)}, output.Cell{Text: orDash(h.Watch)}, output.Cell{Text: orDash(by)})
	}
	return table
}

func stateStyle(state string) output.Style {
	switch state {
	case "up":
		return output.Green
	case "stopped", "shut-down":
		return output.Dim
	case "crashed":
		return output.Red
	}
	return output.Yellow
}

// Incidents lays out what died or went wrong, the newest first.
func Incidents(list []model.Incident, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "OPENED"}, {Title: "STATE"}, {Title: "KIND"}, {Title: "WHAT", Flex: true}, {Title: "AFFECTS"}, {Title: "EVIDENCE", Flex: true}, {Title: "ID"},
	}}
	for _, i := range list {
		style := output.Yellow
		switch {
		case i.State != model.IncidentOpen:
			style = output.Dim
		case i.Severity == model.SeverityCritical:
			style = output.Red
		}
		state := i.State
		if !i.Closed.IsZero() {
			state += " after " + i.Closed.Sub(i.Opened).Round(time.Second/10).String()
		}
		if i.State == model.IncidentOpen {
			state, style = response(i, now, state, style)
		}
		table.Add(output.Plain, output.Cell{Text: output.Ago(i.Opened, now)}, output.Cell{Text: state, Style: style}, output.Cell{Text: string(i.Kind), Style: style},
			output.Cell{Text: i.Summary}, output.Cell{Text: affected(i.Affected)}, output.Cell{Text: orDash(evidence(i))}, output.Cell{Text: i.ID})
	}
	return table
}

// response says what people have said to an incident.
func response(i model.Incident, now time.Time, state string, style output.Style) (string, output.Style) {
	switch {
	case i.Silenced != "":
		return "silenced (" + i.Silenced + ")", output.Dim
	case i.Ack.Holds(now):
		return "acked by " + i.Ack.By, output.Plain
	}
	return state, style
}

// affected says how much falls with an incident.
func affected(a *model.Affected) string {
	if a == nil {
		return "-"
	}
	var parts []string
	for _, of := range []struct {
		n    int
		what string
	}{{a.Services, "service"}, {a.Programs, "program"}, {a.Hosts, "host"}} {
		if of.n > 0 {
			parts = append(parts, counted(of.n, of.what))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// evidence says who saw what, from the first report.
func evidence(i model.Incident) string {
	if len(i.Reports) == 0 {
		return strings.Join(i.Evidence[min(1, len(i.Evidence)):], "; ") // the first is the summary
	}
	v := i.Reports[0]
	var parts []string
	if v.Evidence.Silent > 0 {
		parts = append(parts, "silent for "+v.Evidence.Silent.Round(time.Second/10).String())
	}
	for _, o := range v.Evidence.Observations {
		parts = append(parts, o.Observer+" saw "+sight(o.Sight))
	}
	switch n := len(i.Reports) + i.More - 1; {
	case n == 1:
		parts = append(parts, "1 more report")
	case n > 1:
		parts = append(parts, fmt.Sprintf("%d more reports", n))
	}
	return strings.Join(parts, "; ")
}

// sight says what an observer saw.
func sight(s model.Sight) string {
	switch s {
	case model.SightAgent:
		return "its agent"
	case model.SightRefused:
		return "that its agent is gone"
	case model.SightKernel:
		return "its kernel alone"
	case model.SightLeft:
		return "it leave"
	case model.SightNothing:
		return "nothing"
	case model.SightUnable:
		return "nothing, and doubts itself"
	}
	return "nothing yet"
}
