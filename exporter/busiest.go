package exporter

import (
	"cmp"
	"slices"

	"cassini/model"
)

// dependency is what a scrape shows of a model.DependencyView.
type dependency struct {
	client, server, proto string
	model.Counters
}

// merge turns views into dependencies whose labels are distinct as Prometheus
// sees them; views that differ in nothing else are added up. The order of the
// answer is that of the first view of each.
func merge(views []model.DependencyView) []dependency {
	type labels struct{ client, server, proto string }
	at := make(map[labels]int, len(views))
	list := make([]dependency, 0, len(views))
	for _, v := range views {
		l := labels{valid(v.Client.ID), valid(v.Server.ID), valid(v.Proto)}
		i, known := at[l]
		if !known {
			i, at[l] = len(list), len(list)
			list = append(list, dependency{client: l.client, server: l.server, proto: l.proto})
		}
		list[i].add(v.Counters)
	}
	return list
}

func (d *dependency) add(c model.Counters) {
	d.Connections += c.Connections
	d.Failed += c.Failed
	d.Refused += c.Refused
	d.TimedOut += c.TimedOut
	d.Unreachable += c.Unreachable
	d.Aborted += c.Aborted
	d.Open += c.Open
	d.BytesSent += c.BytesSent
	d.BytesReceived += c.BytesReceived
	d.DatagramsSent += c.DatagramsSent
	d.DatagramsReceived += c.DatagramsReceived
}

// busiest keeps the n dependencies with the most connections and failures, and
// tells how many it left out. Equals are ordered by their labels, so that
// scrapes agree on who is shown.
func busiest(list []dependency, n int) (shown []dependency, dropped int) {
	slices.SortFunc(list, func(a, b dependency) int {
		return cmp.Or(
			cmp.Compare(b.Connections+b.Failed, a.Connections+a.Failed),
			cmp.Compare(a.client, b.client), cmp.Compare(a.server, b.server), cmp.Compare(a.proto, b.proto))
	})
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

// failure is how many attempts failed for one reason.
type failure struct {
	reason string
	count  uint64
}

// failures splits Failed by reason. All reasons are there, also with 0, so that
// a rate sees the first failure.
func failures(c model.Counters) []failure {
	known := c.Refused + c.TimedOut + c.Unreachable + c.Aborted
	return []failure{
		{"refused", c.Refused}, {"timed_out", c.TimedOut}, {"unreachable", c.Unreachable}, {"aborted", c.Aborted},
		{"other", c.Failed - min(known, c.Failed)},
	}
}
