package view

import (
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Overview lays out an estate on one screen.
func Overview(o model.Overview, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: ""}, {Title: "SINCE " + strings.ToUpper(output.Ago(o.Since, now)), Flex: true}}}
	add := func(style output.Style, part, format string, args ...any) {
		table.Add(output.Plain, output.Cell{Text: part, Style: style}, output.Cell{Text: fmt.Sprintf(format, args...)})
	}
	t := o.There
	add(output.Plain, "there", "hosts: %s, services: %s, dependencies: %s, switches: %s, machines without an agent: %s", output.Count(t[model.KindHost]),
		output.Count(t[model.KindService]), output.Count(t["dependency"]), output.Count(t[model.KindSwitch]), output.Count(t[model.KindUnknownHost]))
	for _, s := range o.Sick {
		add(output.Red, "sick", "%s %s", bare(s.Node), s.What)
	}
	for _, g := range o.Came {
		add(output.Green, "new", "%s", group(g))
	}
	for _, g := range o.Went {
		add(output.Yellow, "gone", "%s", group(g))
	}
	for _, p := range o.SinglePoints {
		add(output.Plain, "must not die", "%s: takes along hosts: %d, services: %d", p.ID, p.Hosts, p.Services)
	}
	return table
}

// Problems lays out what ails, and nothing else.
func Problems(o model.Overview, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "NODE"}, {Title: "PROBLEM SINCE " + strings.ToUpper(output.Ago(o.Since, now)), Flex: true}}}
	for _, s := range o.Sick {
		table.Add(output.Plain, output.Cell{Text: s.Node, Style: output.Red}, output.Cell{Text: s.What})
	}
	return table
}

// bare is an identifier without the kind that it begins with.
func bare(id string) string {
	if _, rest, ok := strings.Cut(id, ":"); ok {
		return rest
	}
	return id
}

func group(g model.Group) string {
	if len(g.Functions) > 0 {
		return fmt.Sprintf("%s %s: %s", output.Count(g.Count), g.Kind, strings.Join(g.Functions, ", "))
	}
	text := fmt.Sprintf("%s %s: %s", output.Count(g.Count), g.Kind, strings.Join(g.First, ", ")) // by a manager that does not fold
	if g.Count > len(g.First) {
		text += ", ..."
	}
	return text
}
