package exporter

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// Document is docs/metrics.md: every metric that a scrape can show, in Markdown.
func Document() []byte {
	var b bytes.Buffer
	b.WriteString(documentHead)
	for _, c := range everything().collectors {
		writeMetrics(&b, c.name(), c.metrics())
	}
	scrape := newScrape(nil)
	writeMetrics(&b, "each collector", scrape.metrics())
	b.WriteString(documentTail)
	return b.Bytes()
}

const documentHead = `# Metrics

<!-- Generated from the source of package exporter by ` + "`go generate ./exporter`" + `. Do not edit. -->

` + "`GET /metrics`" + ` answers in the Prometheus text format, or in OpenMetrics if asked. Everything is
read when it is asked for; nothing is sampled on a timer. A process without a part (an agent has
no store, a manager no capture) leaves that part's metrics out.
`

const documentTail = `
## Histograms

Histograms are native ones, with classic buckets beside them: a Prometheus server with native
histograms (from version 2.40 on by ` + "`--enable-feature=native-histograms`" + `, from 3.8 on by
` + "`scrape_native_histograms`" + `; it then asks for the protobuf format) keeps the native
buckets, any other the classic ones, named ` + "`_bucket`" + `. The dashboards ask for native ones.

The spacing and lateness of heartbeats are counted in the kernel, in places that double from 1 ms
and from 64 microseconds on. Classic buckets end exactly there. Native ones end at powers of two
seconds, up to 5% lower: 1 ms is shown as 2^-10 s. What is beyond the last place (16.4 s and 1.05 s)
stands in the place after it. Their sums are estimated by the middle of each place.

So are round-trip times and lifetimes of TCP connections, from 16 microseconds and 1 ms on; from 71
minutes on, lifetimes are counted in places of four times the width of the one before. They
are of all connections of a machine together, in 52 series for each end that it can have of
them. By service or by pair of client and service they would be as many for each one: a
machine can have 65,536 pairs. Of one pair, ` + "`cassini deps -o json`" + ` and the API tell both
histograms, which may be added up.

The round trip of a link is measured about once a minute, from each host to the next member of
its rings: heartbeats go one way and are not answered. The quantile over few minutes rests on few
answers. Spacing and lateness tell delay that varies, round trips delay that is constant too.

## How many series

A host shows its own links only, two for each of its rings and 32 at most; with classic buckets each
takes 58 series. A manager shows 500 rings one by one at most, seven series each, those that are not
whole first. Hosts are counted by state and never shown one by one.

## Go and the process

The usual ` + "`go_*` and `process_*`" + ` metrics of the Prometheus client library stand beside them.
`

// everything is a scrape with all collectors, for its list of metrics.
func everything() *scrape {
	return newScrape(present(Sources{
		Process:      func() model.ProcessStats { return model.ProcessStats{} },
		Capture:      func() *model.CaptureStats { return nil },
		Network:      func() *model.NetworkStats { return nil },
		Names:        func() *model.NameStats { return nil },
		Outbox:       func() *model.OutboxStats { return nil },
		Sent:         func() model.SentStats { return model.SentStats{} },
		Deliveries:   func() model.DeliveryStats { return model.DeliveryStats{} },
		Rings:        func() *model.RingStats { return nil },
		Keeper:       func() *model.RingKeeperStats { return nil },
		Store:        func() model.StoreStats { return model.StoreStats{} },
		Graph:        func() model.GraphStats { return model.GraphStats{} },
		Requests:     func() []model.RequestStat { return nil },
		Guests:       func() *model.GuestStats { return nil },
		Audit:        func() *model.AuditStats { return nil },
		Tenants:      func() *model.TenantStats { return nil },
		Alerts:       func() []model.ReceiverStats { return nil },
		Dependencies: func() []model.DependencyView { return nil },
	}, Config{}))
}

func writeMetrics(b *bytes.Buffer, title string, list []metric) {
	fmt.Fprintf(b, "\n## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", strings.ToUpper(title[:1])+title[1:])
	for _, m := range list {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", m.name, kindName(m.kind), codes(m.labels), m.help)
	}
	for _, m := range list {
		writeValues(b, m)
	}
}

func writeValues(b *bytes.Buffer, m metric) {
	values := labelValues()[m.name]
	if len(values) == 0 {
		return
	}
	fmt.Fprintf(b, "\n`%s`, by `%s`:\n\n", m.name, m.labels[len(m.labels)-1])
	for _, v := range values {
		fmt.Fprintf(b, "- `%s`: %s\n", v.value, v.meaning)
	}
}

func kindName(kind prometheus.ValueType) string {
	switch kind {
	case prometheus.CounterValue:
		return "counter"
	case histogramKind:
		return "histogram"
	}
	return "gauge"
}

func codes(labels []string) string {
	var quoted []string
	for _, l := range labels {
		quoted = append(quoted, "`"+l+"`")
	}
	return strings.Join(quoted, ", ")
}
