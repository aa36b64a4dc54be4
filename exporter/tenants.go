package exporter

import (
	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// tenantCollector shows what tenants cost, and how often one looks at another.
type tenantCollector struct {
	source                   func() *model.TenantStats
	kept, forgotten, refused metric
}

func newTenantCollector(source func() *model.TenantStats) *tenantCollector {
	return &tenantCollector{
		source:    source,
		kept:      gauge("tenant_graphs", "Tenants whose graphs are in memory, 64 at most: somebody of theirs asked within half an hour."),
		forgotten: counter("tenant_graphs_forgotten_total", "Tenants' graphs that went from memory: nobody asked, others did, or a host became another tenant's."),
		refused:   counter("tenant_refusals_total", "Questions of a tenant's people about hosts that are not the tenant's."),
	}
}

func (c *tenantCollector) name() string { return "tenants" }

func (c *tenantCollector) metrics() []metric { return []metric{c.kept, c.forgotten, c.refused} }

func (c *tenantCollector) collect(ch chan<- prometheus.Metric) bool {
	stats := c.source()
	if stats == nil {
		return false
	}
	c.kept.send(ch, float64(stats.Kept))
	c.forgotten.send(ch, float64(stats.Forgotten))
	c.refused.send(ch, float64(stats.Refused))
	return true
}
