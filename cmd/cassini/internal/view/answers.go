package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// ImpactTitle says in one line what falls.
func ImpactTitle(i model.Impact) string {
	return fmt.Sprintf("When %s dies, hosts that fall: %d, services: %d.", output.Clean(i.Of), i.Hosts, i.Services)
}

// Impact lays out what falls with a node.
func Impact(i model.Impact) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "EFFECT"}, {Title: "WHAT"}, {Title: "STEPS", Right: true}, {Title: "BECAUSE OF", Flex: true}}}
	styles := map[string]output.Style{model.EffectDown: output.Red, model.EffectAffected: output.Yellow, model.EffectDegraded: output.Plain}
	for _, v := range i.Victims {
		table.Add(output.Plain, output.Cell{Text: v.Effect, Style: styles[v.Effect]}, output.Cell{Text: v.ID}, output.Cell{Text: strconv.Itoa(v.Depth)}, output.Cell{Text: v.Because})
	}
	return table
}

// SinglePoints lays out what takes others along.
func SinglePoints(list []model.SinglePoint) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "HOSTS", Right: true}, {Title: "SERVICES", Right: true}, {Title: "FALL WITH", Flex: true}}}
	for _, p := range list {
		table.Add(output.Plain, output.Text(strconv.Itoa(p.Hosts), strconv.Itoa(p.Services), p.ID)...)
	}
	return table
}

// Path lays out the steps of a way.
func Path(steps []model.Step) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "FROM"}, {Title: "BY"}, {Title: "TO", Flex: true}}}
	for _, s := range steps {
		by := "-" + s.Kind + "->"
		if s.Against {
			by = "<-" + s.Kind + "-"
		}
		table.Add(output.Plain, output.Text(s.From, by, s.To)...)
	}
	return table
}

// Diff lays out what came, went and changed.
func Diff(d model.Diff) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: ""}, {Title: "KIND"}, {Title: "WHAT"}, {Title: "CHANGE", Flex: true}}}
	for _, part := range []struct {
		sign  string
		style output.Style
		list  []model.Change
	}{{"+", output.Green, d.Came}, {"-", output.Red, d.Went}, {"~", output.Yellow, d.Changed}} {
		for _, c := range part.list {
			table.Add(output.Plain, output.Cell{Text: part.sign, Style: part.style}, output.Cell{Text: c.Kind}, output.Cell{Text: strings.TrimPrefix(c.ID, c.Kind+":")}, output.Cell{Text: changes(c)})
		}
	}
	for _, f := range d.Flapping {
		table.Add(output.Plain, output.Cell{Text: "!", Style: output.Yellow}, output.Cell{Text: f.Kind}, output.Cell{Text: strings.TrimPrefix(f.ID, f.Kind+":")},
			output.Cell{Text: fmt.Sprintf("flapping: %d changes in %d minutes; now: %s", f.Changes, f.WindowSeconds/60, f.State)})
	}
	return table
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
