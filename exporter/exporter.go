package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

const (
	// scrapesAtOnce bounds concurrent scrapes; one more is answered with 503.
	scrapesAtOnce = 4
	scrapeTimeout = 10 * time.Second
)

// Exporter answers scrapes from its own private registry. It is safe for
// concurrent use and holds no goroutine.
type Exporter struct {
	registry *prometheus.Registry
	logger   *slog.Logger
}

// New builds an exporter over the sources that are there.
func New(src Sources, cfg Config) *Exporter {
	e := &Exporter{
		registry: prometheus.NewRegistry(),
		logger:   cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler)),
	}
	e.registry.MustRegister(
		newScrape(present(src, cfg)),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return e
}

// Handler serves a scrape, in the text format or OpenMetrics as the client asks.
func (e *Exporter) Handler() http.Handler {
	return promhttp.HandlerFor(e, promhttp.HandlerOpts{
		ErrorLog:            scrapeLog{e.logger},
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: scrapesAtOnce,
		Timeout:             scrapeTimeout,
		EnableOpenMetrics:   true,
	})
}

// scrapeLog takes what goes wrong in a scrape. That nobody waits for the answer any more is
// the scraper's to tell, and would be told of each of a thousand families.
type scrapeLog struct{ logger *slog.Logger }

// Println implements promhttp.Logger.
func (l scrapeLog) Println(v ...any) {
	for _, what := range v {
		if err, ok := what.(error); ok && (errors.Is(err, context.Canceled) || errors.Is(err, http.ErrHandlerTimeout)) {
			return
		}
	}
	l.logger.Error(strings.TrimSuffix(fmt.Sprintln(v...), "\n"))
}

// Gather reads every source once. It makes Exporter a prometheus.Gatherer.
func (e *Exporter) Gather() ([]*dto.MetricFamily, error) { return e.registry.Gather() }

// present lists the collectors whose source is there.
func present(src Sources, cfg Config) []collector {
	list := []collector{newBuildCollector(cfg.Version, cfg.Revision)}
	if src.Process != nil {
		list = append(list, newProcessCollector(src.Process))
	}
	if src.Capture != nil {
		list = append(list, newCaptureCollector(src.Capture))
	}
	if src.Network != nil {
		list = append(list, newNetworkCollector(src.Network, DefaultMaxInterfaces))
	}
	if src.Names != nil {
		list = append(list, newNamesCollector(src.Names))
	}
	if src.Outbox != nil {
		list = append(list, newOutboxCollector(src.Outbox), newComparedCollector(src.Outbox))
	}
	if src.Sent != nil {
		list = append(list, newSentCollector(src.Sent))
	}
	if src.Deliveries != nil {
		list = append(list, newDeliveryCollector(src.Deliveries))
	}
	if src.Rings != nil {
		list = append(list, newRingsCollector(src.Rings, DefaultMaxLinks))
	}
	if src.Keeper != nil {
		list = append(list, newKeeperCollector(src.Keeper, DefaultMaxRings))
	}
	if src.Store != nil {
		list = append(list, newStoreCollector(src.Store))
	}
	if src.Graph != nil {
		list = append(list, newGraphCollector(src.Graph))
	}
	if src.Requests != nil {
		list = append(list, newRequestsCollector(src.Requests))
	}
	if src.Guests != nil {
		list = append(list, newGuestsCollector(src.Guests))
	}
	if src.Audit != nil {
		list = append(list, newAuditCollector(src.Audit))
	}
	if src.Tenants != nil {
		list = append(list, newTenantCollector(src.Tenants))
	}
	if src.Alerts != nil {
		list = append(list, newAlertsCollector(src.Alerts))
	}
	if src.Dependencies != nil {
		list = append(list, newDependenciesCollector(src.Dependencies, cmp.Or(cfg.MaxDependencies, DefaultMaxDependencies)))
	}
	return list
}
