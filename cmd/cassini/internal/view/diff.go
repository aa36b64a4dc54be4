package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// foldedFrom is from how many changes on that differ in their hosts alone one line stands for
// all of them.
const foldedFrom = 3

// Diff lays out what came, went and changed. Many changes that differ in their hosts alone are
// one line, unless each is wanted.
func Diff(d model.Diff, each bool) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: ""}, {Title: "KIND"}, {Title: "WHAT"}, {Title: "CHANGE", Flex: true}}}
	for _, part := range []struct {
		sign  string
		style output.Style
		list  []model.Change
	}{{"+", output.Green, d.Came}, {"-", output.Red, d.Went}, {"~", output.Yellow, d.Changed}} {
		for _, alike := range folded(part.list, each) {
			table.Add(output.Plain, output.Cell{Text: part.sign, Style: part.style}, output.Cell{Text: alike[0].Kind}, output.Cell{Text: what(alike)}, output.Cell{Text: changes(alike[0])})
		}
	}
	for _, f := range d.Flapping {
		table.Add(output.Plain, output.Cell{Text: "!", Style: output.Yellow}, output.Cell{Text: f.Kind}, output.Cell{Text: strings.TrimPrefix(f.ID, f.Kind+":")},
			output.Cell{Text: fmt.Sprintf("flapping: %d changes in %d minutes; now: %s", f.Changes, f.WindowSeconds/60, f.State)})
	}
	return table
}

// folded puts changes together that are alike but for their hosts, where they are many, each
// group at the place of its first.
func folded(list []model.Change, each bool) (lines [][]model.Change) {
	alike := make(map[string][]model.Change)
	key := func(c model.Change) string { return c.Kind + "\x00" + c.Function + "\x00" + changes(c) }
	for _, c := range list {
		if c.Function != "" && !each {
			alike[key(c)] = append(alike[key(c)], c)
		}
	}
	for _, c := range list {
		switch group := alike[key(c)]; {
		case c.Function == "" || len(group) < foldedFrom:
			lines = append(lines, []model.Change{c})
		case group[0].ID == c.ID:
			lines = append(lines, group)
		}
	}
	return lines
}

// what names a change, or what several have in common and their hosts.
func what(alike []model.Change) string {
	if len(alike) == 1 {
		return strings.TrimPrefix(alike[0].ID, alike[0].Kind+":")
	}
	var hosts []string
	for _, c := range alike {
		hosts = append(hosts, c.Host)
	}
	slices.Sort(hosts)
	hosts = slices.Compact(hosts)
	if len(hosts) == 1 {
		return fmt.Sprintf("%s/%s, %d times", hosts[0], alike[0].Function, len(alike))
	}
	shown := strings.Join(hosts[:min(len(hosts), foldedFrom)], ", ")
	if more := len(hosts) - foldedFrom; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%s on %d hosts: %s", alike[0].Function, len(hosts), shown)
}

// changes are "mtu 1500 -> 9000" for each attribute that differs.
func changes(c model.Change) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c.Attrs)) {
		texts = append(texts, name+" "+literal(c.Attrs[name][0])+" -> "+literal(c.Attrs[name][1]))
	}
	return strings.Join(texts, ", ")
}

func literal(v any) string {
	if v == nil {
		return "none"
	}
	if text, ok := v.(string); ok {
		return text
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "?" // what came as JSON can be written as JSON
	}
	return string(text)
}
