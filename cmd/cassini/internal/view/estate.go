package view

import (
	"strconv"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Cycles lays out circles of services.
func Cycles(list []model.Cycle) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "SERVICES", Right: true}, {Title: "CIRCLE", Flex: true}, {Title: "IN THE SAME KNOT", Flex: true}}}
	for _, c := range list {
		var names []string
		for _, id := range c.Services {
			names = append(names, bare(id))
		}
		var others []string
		for _, id := range c.Others {
			others = append(others, bare(id))
		}
		table.Add(output.Plain, output.Text(strconv.Itoa(len(names)), strings.Join(append(names, names[0]), " > "), orDash(strings.Join(others, " ")))...)
	}
	return table
}

// Unmonitored lays out what nobody watches.
func Unmonitored(list []model.Unmonitored) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "KIND"}, {Title: "WHAT", Flex: true}, {Title: "CLIENTS", Right: true}, {Title: "SEEN BY", Right: true}, {Title: "WHY", Flex: true}}}
	for _, u := range list {
		table.Add(output.Plain, output.Text(u.Kind, bare(u.ID), strconv.Itoa(u.Clients), strconv.Itoa(u.Seen), u.Why)...)
	}
	return table
}

// Versions lays out versions with the hosts that have them.
func Versions(list []model.Version) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "OF"}, {Title: "VERSION", Flex: true}, {Title: "HOSTS", Right: true}, {Title: "WHICH", Flex: true}}}
	for _, v := range list {
		table.Add(output.Plain, output.Text(v.Of, v.Version, strconv.Itoa(len(v.Hosts)), strings.Join(v.Hosts, " "))...)
	}
	return table
}

// Addresses lays out addresses with their owners.
func Addresses(list []model.Address) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "ADDRESS"}, {Title: "STATE"}, {Title: "OWNERS", Flex: true}}}
	for _, a := range list {
		style := output.Plain
		if a.State == model.AddressShared {
			style = output.Yellow
		}
		table.Add(style, output.Text(a.Addr.String(), a.State, strings.Join(a.Owners, " "))...)
	}
	return table
}
