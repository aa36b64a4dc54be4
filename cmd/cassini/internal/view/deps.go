package view

import (
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Dependencies lays out who is client of whom, in the order given. Why attempts
// failed has a column when any did, and so has where either end lives.
func Dependencies(deps []model.DependencyView, now time.Time) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "CLIENT", Flex: true}, {Title: "LIVES IN", Flex: true, Optional: true},
		{Title: "SERVER", Flex: true}, {Title: "SERVES IN", Flex: true, Optional: true},
		{Title: "DIALLED", Flex: true, Optional: true}, {Title: "ADDRESS"}, {Title: "ASKED AS", Flex: true, Optional: true},
		{Title: "CONNECTIONS", Right: true}, {Title: "FAILED", Right: true}, {Title: "WHY", Flex: true, Optional: true},
		{Title: "OPEN", Right: true}, {Title: "LAST SEEN"},
		{Title: "SENT", Right: true, Optional: true}, {Title: "RECEIVED", Right: true, Optional: true}, {Title: "RTT", Right: true, Optional: true},
		{Title: titleDatagrams, Right: true, Optional: true}, {Title: titleRTTs, Right: true, Optional: true}, {Title: titleLifetimes, Right: true, Optional: true},
	}}
	for _, d := range deps {
		table.Add(output.Plain, dependencyRow(d, now)...)
	}
	return table.DropEmpty("LIVES IN", "SERVES IN", "DIALLED", "ASKED AS", "WHY", titleDatagrams, titleRTTs, titleLifetimes)
}

func dependencyRow(d model.DependencyView, now time.Time) []output.Cell {
	failed := output.Plain
	if d.Failed > 0 {
		failed = output.Red
	}
	return []output.Cell{
		{Text: Short(d.Client.ID)}, {Text: livesIn(d.Client)}, {Text: Short(d.Server.ID)}, {Text: livesIn(d.Server)}, {Text: Dialled(d)}, {Text: ServerEndpoint(d)}, {Text: askedAs(d.AskedAs)},
		{Text: output.Count(d.Connections)}, {Text: output.Count(d.Failed), Style: failed}, {Text: Failures(d.Counters), Style: output.Red},
		{Text: output.Count(d.Open)}, {Text: output.Ago(d.LastSeen, now)},
		{Text: moved(d, d.BytesSent)}, {Text: moved(d, d.BytesReceived)}, {Text: output.Micros(d.RTTMicros)},
		{Text: Datagrams(d.Counters)}, {Text: RTTs(d.Quantiles)}, {Text: Lifetimes(d.Quantiles)},
	}
}

// moved shows bytes of a dependency, or that none are counted.
func moved(d model.DependencyView, bytes uint64) string {
	if !d.TellBytes(d.Proto) {
		return "-"
	}
	return output.Bytes(bytes)
}

// Datagrams shows those of UDP, sent and received; "" where none are counted.
func Datagrams(c model.Counters) string {
	if c.DatagramsSent+c.DatagramsReceived == 0 {
		return ""
	}
	return output.Count(c.DatagramsSent) + " out, " + output.Count(c.DatagramsReceived) + " in"
}

const (
	titleDatagrams = "DATAGRAMS"
	titleRTTs      = "RTT P50/P95/P99"
	titleLifetimes = "LIFETIME P50/P95/P99"
)

// RTTs shows the quantiles of round-trip times: "210µs/380µs/1.2ms"; "" without any.
func RTTs(q model.Quantiles) string { return three(q.RTTP50Micros, q.RTTP95Micros, q.RTTP99Micros) }

// Lifetimes shows likewise how long connections live.
func Lifetimes(q model.Quantiles) string {
	return three(q.LifetimeP50Micros, q.LifetimeP95Micros, q.LifetimeP99Micros)
}

func three(p50, p95, p99 uint64) string {
	if p99 == 0 {
		return ""
	}
	return output.Lasting(p50) + "/" + output.Lasting(p95) + "/" + output.Lasting(p99)
}

// Dialled shows the addresses that a client dials where another one answers: "10.0.0.1:80".
func Dialled(d model.DependencyView) string {
	var list []string
	for _, a := range d.Dialled {
		list = append(list, Endpoint(a.Addr(), a.Port(), d.Proto, ""))
	}
	return strings.Join(list, " ")
}

// askedAs shows the newest name that an address was asked for as, and how many others
// there are.
func askedAs(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return fmt.Sprintf("%s +%d", names[0], len(names)-1)
}

// livesIn is where an end lives, unless its identifier says so already.
func livesIn(p model.Party) string {
	label := p.Where.Label()
	if strings.HasSuffix(p.ID, "@"+label) {
		return ""
	}
	return label
}

// Failures names the reasons: "2 refused, 1 timed out"; "" without any.
func Failures(c model.Counters) string {
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
