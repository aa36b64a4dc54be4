package view

import (
	"fmt"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// CablingTitle counts cables by how they stand against a plan.
func CablingTitle(c model.Cabling) string {
	parts := make([]string, 0, len(c.Counts))
	for _, state := range model.CableStates() {
		parts = append(parts, fmt.Sprintf("%s: %s", strings.ReplaceAll(state, "-", " "), output.Count(c.Counts[state])))
	}
	return strings.Join(parts, ", ")
}

// Cabling lays out cables that are not as planned; with all also those that are.
func Cabling(c model.Cabling, all bool) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "INTERFACE"}, {Title: "STATE"}, {Title: "EXPECTED"}, {Title: "ACTUAL"}, {Title: "LINE", Right: true, Optional: true}, {Title: "NOTE", Flex: true},
	}}
	for _, x := range c.Cables {
		style := output.Red
		switch x.State {
		case model.CableRight:
			if style = output.Green; !all {
				continue
			}
		case model.CableUnplanned:
			style = output.Yellow
		}
		line := "-"
		if x.Line > 0 {
			line = fmt.Sprint(x.Line)
		}
		table.Add(output.Plain, output.Cell{Text: x.Host + "/" + x.Interface}, output.Cell{Text: strings.ReplaceAll(x.State, "-", " "), Style: style},
			output.Cell{Text: cableEnd(x.Expected)}, output.Cell{Text: cableEnd(x.Actual)}, output.Cell{Text: line}, output.Cell{Text: x.Note})
	}
	return table
}

func cableEnd(e *model.CableEnd) string {
	if e == nil {
		return "-"
	}
	return e.Switch + " " + e.Port
}
