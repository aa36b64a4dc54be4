package view

import (
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Dependencies lays out who is client of whom, in the order given.
func Dependencies(deps []model.DependencyView, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "CLIENT", Flex: true}, {Title: "SERVER", Flex: true}, {Title: "ADDRESS"},
		{Title: "CONNECTIONS", Right: true}, {Title: "FAILED", Right: true}, {Title: "OPEN", Right: true},
		{Title: "SENT", Right: true, Optional: true}, {Title: "RECEIVED", Right: true, Optional: true}, {Title: "RTT", Right: true, Optional: true},
		{Title: "LAST SEEN"}, {Title: "FAILURES", Flex: true, Optional: true},
	}}
	for _, d := range deps {
		failed := output.Cell{Text: output.Count(d.Failed)}
		why := output.Cell{Text: failures(d.Counters), Style: output.Red}
		if d.Failed > 0 {
			failed.Style = output.Red
		}
		table.Add(output.Plain,
			output.Cell{Text: short(d.Client.ID)}, output.Cell{Text: short(d.Server.ID)},
			output.Cell{Text: endpoint(d.Server.Addr, d.Port, d.Proto, "")},
			output.Cell{Text: output.Count(d.Connections)}, failed, output.Cell{Text: output.Count(d.Open)},
			output.Cell{Text: output.Bytes(d.BytesSent)}, output.Cell{Text: output.Bytes(d.BytesReceived)}, output.Cell{Text: output.Micros(d.RTTMicros)},
			output.Cell{Text: output.Ago(d.LastSeen, now)}, why)
	}
	return table
}

// failures names the reasons: "2 refused, 1 timed out".
func failures(c model.Counters) string {
	var reasons []string
	left := c.Failed
	for _, r := range []struct {
		n    uint64
		name string
	}{{c.Refused, "refused"}, {c.TimedOut, "timed out"}, {c.Unreachable, "unreachable"}, {c.Aborted, "aborted"}} {
		if r.n > 0 {
			reasons = append(reasons, fmt.Sprintf("%s %s", output.Count(r.n), r.name))
			left -= min(left, r.n)
		}
	}
	if left > 0 {
		reasons = append(reasons, output.Count(left)+" other")
	}
	return strings.Join(reasons, ", ")
}
