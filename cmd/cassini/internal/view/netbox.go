package view

import (
	"cmp"
	"fmt"
	"strings"

	"cassini/cmd/cassini/internal/netbox"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// NetBoxTitle counts what differs from NetBox.
func NetBoxTitle(machines int, list []netbox.Difference, cables []model.CableCheck) string {
	title := fmt.Sprintf("machines in NetBox: %s, differences: %s, cables not as in NetBox: %s", output.Count(machines), output.Count(len(list)), output.Count(len(cables)))
	if len(list)+len(cables) > 0 {
		title += " (nothing was written)"
	}
	return title
}

// NetBox lays out what differs from NetBox, and then cables.
func NetBox(list []netbox.Difference, cables []model.CableCheck) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "WHERE"}, {Title: "WHAT"}, {Title: "NETBOX"}, {Title: "SEEN"}, {Title: "NOTE", Flex: true},
	}}
	add := func(where, what, theirs, seen, note string, style output.Style) {
		table.Add(output.Plain, output.Cell{Text: where}, output.Cell{Text: what, Style: style}, output.Cell{Text: cmp.Or(theirs, "-")}, output.Cell{Text: cmp.Or(seen, "-")}, output.Cell{Text: note})
	}
	for _, d := range list {
		where := d.Host
		if d.Interface != "" {
			where += "/" + d.Interface
		}
		style := output.Yellow
		if d.NetBox != "" && d.Seen != "" {
			style = output.Red
		}
		add(where, d.Kind, d.NetBox, d.Seen, d.Note, style)
	}
	for _, x := range cables {
		style := output.Red
		if x.State == model.CableUnplanned {
			style = output.Yellow
		}
		add(x.Host+"/"+x.Interface, "cable: "+strings.ReplaceAll(x.State, "-", " "), cableEnd(x.Expected), cableEnd(x.Actual), x.Note, style)
	}
	return table
}
