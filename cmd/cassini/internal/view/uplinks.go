package view

import (
	"strconv"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Uplinks lays out how hosts are joined to switches.
func Uplinks(list []model.Uplinks) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "HOST"}, {Title: "CABLES", Right: true}, {Title: "SWITCHES", Flex: true}, {Title: "HANGS ON"}, {Title: "PORTS", Flex: true},
	}}
	for _, u := range list {
		var ports []string
		for _, p := range u.Ports {
			ports = append(ports, p.Interface+" -> "+p.Port)
		}
		risk := output.Cell{Text: orDash(u.Risk)}
		switch u.Risk {
		case model.RiskCable, model.RiskSwitch:
			risk.Style = output.Yellow
		case model.RiskUnknown:
			risk.Style = output.Dim
		}
		table.Add(output.Plain, output.Cell{Text: u.Host}, output.Cell{Text: strconv.Itoa(len(u.Ports))}, output.Cell{Text: orDash(strings.Join(u.Switches, " "))},
			risk, output.Cell{Text: strings.Join(ports, ", ")})
	}
	return table
}

// Shared lays out what two hosts have in common.
func Shared(list []model.Shared, a, b string) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "KIND"}, {Title: "SHARED"}, {Title: strings.ToUpper(output.Clean(a)), Flex: true}, {Title: strings.ToUpper(output.Clean(b)), Flex: true},
	}}
	for _, s := range list {
		table.Add(output.Plain, output.Text(s.Kind, s.Name, strings.Join(s.A, ", "), strings.Join(s.B, ", "))...)
	}
	return table
}
