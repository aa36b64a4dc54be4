package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/manager/groups"
	"cassini/model"
)

// Groups lays out groups by function, in the order given.
func Groups(list []model.FunctionalGroup, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "GROUP", Flex: true}, {Title: "STATE"}, {Title: "HOSTS", Right: true}, {Title: "SERVICES", Right: true}, {Title: "PROGRAMS", Right: true},
		{Title: "BORN", Right: true}, {Title: "DIED", Right: true}, {Title: "OLDEST", Optional: true}, {Title: "NEWEST"},
		{Title: "CLIENTS", Right: true}, {Title: "SERVED", Right: true}, {Title: "DIALLED", Right: true}, {Title: "FAILED", Right: true},
		{Title: "BYTES", Right: true, Optional: true}, {Title: "DEPENDS ON", Flex: true, Optional: true},
	}}
	for _, g := range list {
		table.Add(output.Plain,
			output.Cell{Text: groups.None(g.Name)}, output.Cell{Text: g.State, Style: groupStyle(g.State)},
			output.Cell{Text: hostCount(g)}, output.Cell{Text: output.Count(g.Services)}, output.Cell{Text: output.Count(g.Programs)},
			output.Cell{Text: output.Count(g.Births)}, alarm(g.Deaths, output.Yellow),
			output.Cell{Text: output.Ago(g.Oldest, now)}, output.Cell{Text: output.Ago(g.Newest, now)},
			output.Cell{Text: output.Count(g.Clients)}, output.Cell{Text: output.Count(g.Served.Connections)}, output.Cell{Text: output.Count(g.Dialled.Connections)},
			alarm(g.Served.Failed+g.Dialled.Failed, output.Red),
			output.Cell{Text: output.Bytes(g.Served.BytesSent + g.Served.BytesReceived + g.Dialled.BytesSent + g.Dialled.BytesReceived)},
			output.Cell{Text: usedGroups(g)},
		)
	}
	return table
}

// alarm is a count that is painted unless it is 0.
func alarm(n uint64, style output.Style) output.Cell {
	if n == 0 {
		style = output.Plain
	}
	return output.Cell{Text: output.Count(n), Style: style}
}

func groupStyle(state string) output.Style {
	switch state {
	case model.GroupDown:
		return output.Red
	case model.GroupUp, model.GroupUnknown:
		return output.Plain
	}
	return output.Yellow
}

// hostCount is "12", or "12 (3 down)".
func hostCount(g model.FunctionalGroup) string {
	if g.HostsDown == 0 {
		return strconv.Itoa(g.Hosts)
	}
	return fmt.Sprintf("%d (%d down)", g.Hosts, g.HostsDown)
}

// usedGroups are the groups that a group depends on, itself left out.
func usedGroups(g model.FunctionalGroup) string {
	var names []string
	for _, l := range g.DependsOn {
		if l.Group != g.Name {
			names = append(names, groups.None(l.Group))
		}
	}
	if more := g.DependsOnCount - len(g.DependsOn); more > 0 {
		names = append(names, fmt.Sprintf("+%d", more))
	}
	return orDash(strings.Join(names, " "))
}

// GroupTitle says a group in two lines.
func GroupTitle(g model.FunctionalGroup, now time.Time) string {
	return fmt.Sprintf("%s %s: %s; hosts: %s, services: %s (ended: %s), programs: %s\nborn %s and died %s since %s; oldest %s, newest %s; clients: %s, served: %s, dialled: %s, failed: %s",
		g.By, output.Clean(groups.None(g.Name)), g.State, hostCount(g), output.Count(g.Services), output.Count(g.Ended), output.Count(g.Programs),
		output.Count(g.Births), output.Count(g.Deaths), output.Ago(g.Since, now), output.Ago(g.Oldest, now), output.Ago(g.Newest, now), output.Count(g.Clients),
		output.Count(g.Served.Connections), output.Count(g.Dialled.Connections), output.Count(g.Served.Failed+g.Dialled.Failed))
}

// GroupMembers lays out the members of one group.
func GroupMembers(g model.FunctionalGroup, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "MEMBER", Flex: true}, {Title: "KIND"}, {Title: "STATE"}, {Title: "SINCE"}, {Title: "BORN", Right: true}, {Title: "DIED", Right: true},
		{Title: "SERVED", Right: true}, {Title: "DIALLED", Right: true}, {Title: "FAILED", Right: true},
	}}
	for _, m := range g.Members {
		table.Add(output.Plain,
			output.Cell{Text: bare(m.ID)}, output.Cell{Text: m.Kind}, output.Cell{Text: orDash(m.State)}, output.Cell{Text: output.Ago(m.Since, now)},
			output.Cell{Text: output.Count(m.Births)}, alarm(m.Deaths, output.Yellow),
			output.Cell{Text: output.Count(m.Served.Connections)}, output.Cell{Text: output.Count(m.Dialled.Connections)},
			alarm(m.Served.Failed+m.Dialled.Failed, output.Red),
		)
	}
	return table
}

// GroupLinks lays out the groups that one depends on, and those that depend on it.
func GroupLinks(g model.FunctionalGroup) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: ""}, {Title: "GROUP", Flex: true}, {Title: "CONNECTIONS", Right: true}, {Title: "FAILED", Right: true}, {Title: "OPEN", Right: true},
		{Title: "SENT", Right: true}, {Title: "RECEIVED", Right: true},
	}}
	for _, part := range []struct {
		what string
		list []model.GroupLink
	}{{"depends on", g.DependsOn}, {"used by", g.UsedBy}} {
		for _, l := range part.list {
			table.Add(output.Plain, output.Cell{Text: part.what}, output.Cell{Text: groups.None(l.Group)}, output.Cell{Text: output.Count(l.Connections)},
				alarm(l.Failed, output.Red), output.Cell{Text: output.Count(l.Open)},
				output.Cell{Text: output.Bytes(l.BytesSent)}, output.Cell{Text: output.Bytes(l.BytesReceived)})
		}
	}
	return table
}
