package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Status lays out what a running Cassini says of itself.
func Status(s client.Status, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "PART"}, {Title: "STATUS"}}}
	add := func(style output.Style, part, format string, args ...any) {
		table.Add(output.Plain, output.Cell{Text: part}, output.Cell{Text: fmt.Sprintf(format, args...), Style: style})
	}
	add(output.Plain, "cassini", "%s on %s, started %s", s.Version, s.Host, output.Ago(s.Start, now))
	if s.Store != nil {
		storeRows(s.Store, now, add)
	}
	if s.Graph != nil {
		graphRows(s.Graph, add)
	}
	if c := s.Capture; c != nil {
		captureRows(c, add)
	}
	if n := s.Network; n != nil {
		networkRows(n, add)
	}
	if o := s.Outbox; o != nil {
		add(warnIf(!o.Connected || len(nonZero(o.Dropped)) > 0), "outbox", "%s of %s waiting, %s accepted, %s retries, dropped: %s", output.Count(o.Queued), output.Count(o.Limit), output.Count(o.Accepted), output.Count(o.Retries), counts(nonZero(o.Dropped)))
	}
	return table
}

type adder func(style output.Style, part, format string, args ...any)

func storeRows(s *model.StoreStats, now time.Time, add adder) {
	add(output.Plain, "store", "%s documents of %s names, %s on disk (%s reusable)", output.Count(s.Documents), output.Count(s.Names), output.Bytes(s.FileBytes), output.Bytes(s.FreeBytes))
	add(output.Plain, "history", "%s", history(s, now))
}

func graphRows(g *model.GraphStats, add adder) {
	add(output.Plain, "nodes", "%s", counts(g.Nodes))
	add(output.Plain, "edges", "%s", counts(g.Edges))
	add(output.Plain, "services", "%s", counts(g.Services))
	add(warnIf(len(nonZero(g.Rejected)) > 0), "documents", "%s applied, not understood: %s", output.Count(g.Documents), counts(nonZero(g.Rejected)))
	add(warnIf(g.Lagged > 0), "streams", "%s open, %s cut off", output.Count(g.Watchers), output.Count(g.Lagged))
}

func captureRows(c *model.CaptureStats, add adder) {
	add(output.Plain, "capture", "%s listeners, %s edges, resyncs: %s, evictions: %s", output.Count(c.Listeners), output.Count(c.Edges), output.Count(c.Resyncs), output.Count(c.Evictions))
	add(output.Plain, "transitions", "%s", counts(c.Transitions))
	add(warnIf(len(nonZero(c.Drops)) > 0), "drops", "%s", counts(nonZero(c.Drops)))
	for _, m := range c.Maps {
		add(warnIf(m.Used*10 >= m.Limit*9), "map "+m.Name, "%s of %s, %s", output.Count(m.Used), output.Count(m.Limit), output.Bytes(m.Bytes))
	}
	for _, h := range c.Hooks {
		if !h.First {
			add(output.Yellow, "hook", "%s: not the first choice; see 'cassini doctor'", h.Fact)
		}
	}
}

func networkRows(n *model.NetworkStats, add adder) {
	net, f, s := n.Net, n.Frames, n.Strangers
	add(warnIf(net.Malformed > 0), "network", "%s interfaces in %s namespaces, resyncs: %s, malformed: %s",
		output.Count(net.Interfaces), output.Count(net.Namespaces), output.Count(net.Resyncs), output.Count(net.Malformed))
	a := n.Announced
	add(warnIf(a.Limited > 0 || len(nonZero(a.Malformed)) > 0), "announced", "%s, known already: %s, held back in a flood: %s, malformed: %s",
		counts(a.Heard), output.Count(a.Known), output.Count(a.Limited), counts(nonZero(a.Malformed)))
	add(warnIf(s.Refused > 0), "strangers", "%s addresses of other machines, %s that asked for one, not kept: %s",
		output.Count(s.Addresses), output.Count(s.Clients), output.Count(s.Refused))
	lost := f.Refused + f.Limited + f.Lost
	add(warnIf(lost > 0 || len(nonZero(f.Malformed)) > 0), "discovery", "%s neighbors on %s links, frames: %s, not taken: %s, malformed: %s",
		output.Count(f.Neighbors), output.Count(f.Links), counts(f.Frames), output.Count(lost), counts(nonZero(f.Malformed)))
}

func warnIf(bad bool) output.Style {
	if bad {
		return output.Yellow
	}
	return output.Plain
}

func history(s *model.StoreStats, now time.Time) string {
	if s.Oldest.IsZero() {
		return "empty"
	}
	return fmt.Sprintf("from %s to %s", output.Ago(s.Oldest, now), output.Ago(s.Newest, now))
}

// counts writes figures by name: "3 host, 12 service", sorted by name.
func counts[N int | uint64](by map[string]N) string {
	if len(by) == 0 {
		return "none"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, output.Count(by[name])+" "+name)
	}
	return strings.Join(parts, ", ")
}

func nonZero(by map[string]uint64) map[string]uint64 {
	kept := maps.Clone(by)
	maps.DeleteFunc(kept, func(_ string, n uint64) bool { return n == 0 })
	return kept
}
