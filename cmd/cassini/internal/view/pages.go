package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Part is a list of a page under its title.
type Part struct {
	Title string
	Table *output.Table
}

// PageLines say of a host or a service in a few lines what it is and how it fares.
func PageLines(p model.Page, now time.Time) []string {
	lines := []string{standing(p, now)}
	if p.Node.Kind == model.KindHost {
		line := facts(p.Node.Attrs, "os", "kernel", "arch", "agent_version", "machine_id")
		if at, err := time.Parse(time.RFC3339Nano, text(p.Node.Attrs["boot_time"])); err == nil {
			line += ", booted " + output.Ago(at, now)
		}
		lines = append(lines, line)
	} else {
		lines = append(lines, facts(p.Node.Attrs, "exe", "unit", "container", "image", "uid", "cwd"))
	}
	falls := fmt.Sprintf("When it dies, hosts that fall: %d, services: %d.", p.Falls.Hosts, p.Falls.Services)
	if n := p.Counts.FallsWith; n > 0 {
		falls += fmt.Sprintf(" What takes it along when it alone dies: %d.", n)
	}
	lines = append(lines, falls)
	if p.Counts.Open > 0 {
		lines = append(lines, fmt.Sprintf("Open incidents: %d.", p.Counts.Open))
	}
	clean := lines[:0]
	for _, l := range lines {
		if l != "" {
			clean = append(clean, output.Clean(l))
		}
	}
	return clean
}

// standing says in one line how a host or a service stands.
func standing(p model.Page, now time.Time) string {
	state := text(p.Node.Attrs["state"])
	if state == "" {
		state = "known"
	}
	line := p.Node.ID + " is " + state
	switch l := p.Liveness; {
	case l != nil:
		line = fmt.Sprintf("%s is %s since %s", p.Node.ID, l.State, output.Ago(l.Since, now))
		if len(l.WatchedBy) > 0 {
			line += ", watched by " + strings.Join(l.WatchedBy, " ")
		}
	case len(p.Services) == 1 && p.Node.Kind == model.KindService:
		line += " since " + since(p.Services[0], now) + " on " + ListensOn(p.Services[0])
	}
	return line + "."
}

// facts are those attributes that there are.
func facts(attrs model.Attrs, names ...string) string {
	var list []string
	for _, name := range names {
		if v := text(attrs[name]); v != "" {
			list = append(list, strings.ReplaceAll(name, "_", " ")+": "+v)
		}
	}
	return strings.Join(list, ", ")
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// PageParts are the lists of a page that are not empty.
func PageParts(p model.Page, now time.Time) (parts []Part) {
	add := func(title string, t *output.Table) {
		if t.Len() > 0 {
			parts = append(parts, Part{title, t})
		}
	}
	add(titled("INCIDENTS", len(p.Incidents), p.Counts.Incidents), Incidents(p.Incidents, now))
	add("INTERFACES", Interfaces(p.Interfaces))
	add("CABLES", Ports(p.Ports, now))
	if p.Node.Kind == model.KindHost {
		add(titled(fmt.Sprintf("SERVICES, %d LISTEN", p.Counts.Listening), len(p.Services), p.Counts.Services), Services(p.Services, now))
	}
	add(titled("DEPENDS ON", len(p.Dependencies), p.Counts.Dependencies), Dependencies(p.Dependencies, now))
	add(titled("CLIENTS", len(p.Dependents), p.Counts.Dependents), Dependencies(p.Dependents, now))
	add(titled("FALLS WITH", len(p.FallsWith), p.Counts.FallsWith), SinglePoints(p.FallsWith))
	return parts
}

func titled(title string, shown, all int) string {
	if shown < all {
		return fmt.Sprintf("%s (%d of %d)", title, shown, all)
	}
	return fmt.Sprintf("%s (%d)", title, all)
}

// Programs lays out programs.
func Programs(list []model.ProgramView) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "PROGRAM"}, {Title: "HOST"}, {Title: "PID", Right: true}, {Title: "USER"}, {Title: "LISTENS", Right: true}, {Title: "DIALS", Right: true},
		{Title: "LIVES IN", Flex: true}, {Title: "EXE", Flex: true, Optional: true}, {Title: "COMMAND", Flex: true},
	}}
	for _, p := range list {
		table.Add(output.Plain, output.Text(p.Name, p.Host, PID(p.PID), p.UID, strconv.Itoa(p.Listening), strconv.Itoa(p.Dials), p.Where.Label(), p.Exe, output.Command(p.Cmdline))...)
	}
	return table.DropEmpty("LIVES IN")
}

// Cards lays out network cards.
func Cards(list []model.Card) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "MAKER", Flex: true}, {Title: "INTERFACE"}, {Title: "ADDRESS"}, {Title: "DRIVER"}, {Title: "LINK"}}}
	for _, c := range list {
		maker := c.Vendor
		if maker == "" {
			maker = "(none known)"
		}
		table.Add(output.Plain, output.Text(maker, strings.TrimPrefix(c.ID, model.KindInterface+":"), c.Address, orDash(c.Driver), linkText(c.Up, c.Speed, ""))...)
	}
	return table
}

// Unknown lays out what no agent knows.
func Unknown(list []model.UnknownNode) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "KIND"}, {Title: "WHAT"}, {Title: "ASKED AS", Flex: true}, {Title: "MAKER", Flex: true}, {Title: "CLIENTS", Right: true}, {Title: "DIALS", Right: true}, {Title: "SEEN BY", Right: true},
	}}
	for _, u := range list {
		table.Add(output.Plain, output.Text(u.Kind, strings.TrimPrefix(u.ID, u.Kind+":"), askedAs(u.AskedAs), u.Vendor, strconv.Itoa(u.Clients), strconv.Itoa(u.Dials), strconv.Itoa(u.SeenBy))...)
	}
	return table.DropEmpty("ASKED AS", "MAKER")
}
