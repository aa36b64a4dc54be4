package view

import (
	"strconv"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Routes lays out routes.
func Routes(list []model.HostRoute) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "HOST"}, {Title: "TABLE"}, {Title: "TO"}, {Title: "WAYS", Flex: true}, {Title: "METRIC", Right: true}, {Title: "BY"}, {Title: "SOURCE", Optional: true},
	}}
	for _, r := range list {
		to, source := r.Destination.String(), "-"
		if r.Destination.Bits() == 0 {
			to = "default"
		}
		if r.Source.IsValid() {
			source = r.Source.String()
		}
		table.Add(output.Plain, output.Text(inNetns(r.Host, r.Netns), r.Table, to, ways(r.Route), strconv.FormatUint(uint64(r.Metric), 10), r.Protocol, source)...)
	}
	return table
}

// ways are "via 10.0.0.1 eth0" for each, or the type of a route that takes none.
func ways(r model.Route) string {
	if r.Type != "unicast" {
		return r.Type
	}
	var texts []string
	for _, h := range r.Hops {
		text := h.Interface
		if h.Via.IsValid() {
			text = strings.TrimSpace("via " + h.Via.String() + " " + text)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// Rules lays out routing rules.
func Rules(list []model.HostRule) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "HOST"}, {Title: "FAMILY"}, {Title: "PRIORITY", Right: true}, {Title: "RULE", Flex: true}}}
	for _, r := range list {
		table.Add(output.Plain, output.Text(inNetns(r.Host, r.Netns), r.Family, strconv.FormatUint(uint64(r.Priority), 10), r.Text)...)
	}
	return table
}

func inNetns(host, netns string) string {
	if netns == "" {
		return host
	}
	return host + "@" + netns
}
