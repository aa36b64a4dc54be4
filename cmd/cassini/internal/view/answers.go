package view

import (
	"fmt"
	"strconv"

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
