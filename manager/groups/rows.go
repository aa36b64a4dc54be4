package groups

import (
	"strconv"
	"strings"
	"time"

	"cassini/model"
)

// Rows are groups for a spreadsheet: a line of titles, then one for each.
func Rows(list []model.FunctionalGroup) (columns []string, rows [][]string) {
	columns = []string{
		"group", "state", "hosts", "hosts_down", "services", "ended", "programs", "births", "deaths", "oldest", "newest", "clients",
		"served", "served_failed", "dialled", "dialled_failed", "bytes", "depends_on",
	}
	rows = make([][]string, 0, len(list))
	for _, g := range list {
		var uses []string
		for _, l := range g.DependsOn {
			uses = append(uses, None(l.Group))
		}
		n := func(v uint64) string { return strconv.FormatUint(v, 10) }
		rows = append(rows, []string{
			None(g.Name), g.State, strconv.Itoa(g.Hosts), strconv.Itoa(g.HostsDown), strconv.Itoa(g.Services), strconv.Itoa(g.Ended), strconv.Itoa(g.Programs),
			n(g.Births), n(g.Deaths), stamp(g.Oldest), stamp(g.Newest), strconv.Itoa(g.Clients),
			n(g.Served.Connections), n(g.Served.Failed), n(g.Dialled.Connections), n(g.Dialled.Failed),
			n(g.Served.BytesSent + g.Served.BytesReceived + g.Dialled.BytesSent + g.Dialled.BytesReceived), strings.Join(uses, " "),
		})
	}
	return columns, rows
}

// NoName stands for the group of things that have nothing of what is asked by.
const NoName = "(none)"

// None is a group's name as people read it.
func None(name string) string {
	if name == "" {
		return NoName
	}
	return name
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// MemberRows are the members of one group, likewise.
func MemberRows(g model.FunctionalGroup) (columns []string, rows [][]string) {
	columns = []string{"member", "kind", "host", "state", "since", "births", "deaths", "served", "served_failed", "dialled", "dialled_failed"}
	rows = make([][]string, 0, len(g.Members))
	n := func(v uint64) string { return strconv.FormatUint(v, 10) }
	for _, m := range g.Members {
		rows = append(rows, []string{
			m.ID, m.Kind, m.Host, m.State, stamp(m.Since), n(m.Births), n(m.Deaths),
			n(m.Served.Connections), n(m.Served.Failed), n(m.Dialled.Connections), n(m.Dialled.Failed),
		})
	}
	return columns, rows
}
