package sqlitefile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cassini/model"
)

// kinds that have a view even where a graph has none of them, so that queries that are
// kept do not fail.
var kinds = [...]string{model.KindHost, model.KindService, model.KindProcess, model.KindUnknownHost, model.KindInterface, model.KindIP,
	model.KindSubnet, model.KindMAC, model.KindSwitch, model.KindSwitchPort, model.KindVLAN, model.KindRing}

// columns that dependencies have in any case.
var counters = [...]string{"connections", "attempts", "failed", "bytes_sent", "bytes_received", "rtt_microseconds", "first_seen", "last_seen"}

// plain names can stand in a view as they are; others are found in attrs alone.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// maxColumns is under SQLite's own limit of 2,000.
const maxColumns = 500

// views are the statements that make a view of each kind of nodes, of dependencies and
// of cables.
func views(g model.Graph) (list []string) {
	attrs := make(map[string]map[string]bool)
	for _, kind := range kinds {
		attrs[kind] = map[string]bool{"name": kind == model.KindHost || kind == model.KindSwitch}
	}
	for _, n := range g.Nodes {
		if attrs[n.Kind] == nil {
			attrs[n.Kind] = make(map[string]bool)
		}
		for name := range n.Attrs {
			attrs[n.Kind][name] = true
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(attrs)) {
		list = append(list, fmt.Sprintf("CREATE VIEW %s AS SELECT id%s FROM nodes WHERE kind = %s",
			name(plural(kind)), columns(attrs[kind], "attrs", "id"), literal(kind)))
	}
	depends := make(map[string]bool)
	for _, c := range counters {
		depends[c] = true
	}
	for _, e := range g.Edges {
		if e.Kind == model.EdgeDependsOn {
			for a := range e.Attrs {
				depends[a] = true
			}
		}
	}
	return append(list,
		"CREATE VIEW dependencies AS SELECT e.source AS client, e.target AS server, c.host AS client_host, s.host AS server_host"+
			columns(depends, "e.attrs", "client", "server", "client_host", "server_host")+
			" FROM edges e LEFT JOIN nodes c ON c.id = e.source LEFT JOIN nodes s ON s.id = e.target WHERE e.kind = 'depends_on'",
		"CREATE VIEW cables AS SELECT i.host AS host, json_extract(i.attrs, '$.name') AS interface, "+
			"coalesce(json_extract(p.attrs, '$.switch_name'), json_extract(p.attrs, '$.switch'), p.host) AS switch, "+
			"coalesce(json_extract(p.attrs, '$.port'), json_extract(p.attrs, '$.name')) AS port, e.source, e.target "+
			"FROM edges e JOIN nodes i ON i.id = e.source JOIN nodes p ON p.id = e.target WHERE e.kind = 'wired_to'")
}

// columns are attributes as columns of a view, but for names that are taken. SQLite
// tells names apart without regard to case.
func columns(attrs map[string]bool, from string, taken ...string) string {
	var b strings.Builder
	used := make(map[string]bool)
	for _, t := range taken {
		used[t] = true
	}
	for _, a := range slices.Sorted(maps.Keys(attrs)) {
		if low := strings.ToLower(a); attrs[a] && plain.MatchString(a) && !used[low] && len(used) < maxColumns {
			used[low] = true
			fmt.Fprintf(&b, ", json_extract(%s, %s) AS %s", from, literal(`$."`+a+`"`), name(a))
		}
	}
	return b.String()
}

// plural is the name of the view of a kind: hosts, switches, unknown_hosts.
func plural(kind string) string {
	kind = strings.ReplaceAll(kind, "-", "_")
	if strings.HasSuffix(kind, "s") || strings.HasSuffix(kind, "ch") {
		return kind + "es"
	}
	return kind + "s"
}

func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
