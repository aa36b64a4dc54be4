package main

import (
	"context"

	"github.com/spf13/cobra"

	"cassini/exporter"
	"cassini/manager"
)

func newManager(sys *system) *server {
	cmd := &cobra.Command{
		Use:   "manager",
		Short: "Run a manager alone; agents bring it their documents",
	}
	return newServer(cmd, sys, defaultListen)
}

// serveManager runs a manager whose agents are other processes.
func serveManager(ctx context.Context, cfg serveConfig) error {
	m := newManagerOf(cfg, false)
	metrics := exporter.New(exporter.Sources{Process: cfg.Live.Stats, Keeper: m.RingKeeperStats, Store: m.StoreStats, Graph: m.GraphStats, Requests: m.RequestStats, Deliveries: m.DeliveryStats, Alerts: m.AlertStats, Audit: m.AuditStats, Tenants: m.TenantStats, Guests: m.GuestStats, Dependencies: m.Dependencies}, exporterConfig(cfg))
	m.Attach(manager.Parts{Metrics: metrics.Handler(), Reload: cfg.Live.Reload, Debug: debugging(cfg.Live.flight), Served: cfg.Live.served})
	cfg.Live.on(part{ready: m.Ready, alive: m.Alive, apply: reconfigure(m), told: m.Reloaded})
	return withMetrics(cfg, metrics, func(ctx context.Context) error { return m.Run(ctx, cfg.Listener) })(ctx)
}

func newManagerOf(cfg serveConfig, local bool) *manager.Manager {
	return manager.New(manager.Config{
		DataDir: cfg.DataDir, Host: cfg.Host, Machine: ownMachine(cfg.Logger), Version: cfg.Build.Version, Start: cfg.Start, Logger: cfg.Logger, Insecure: cfg.Insecure, TLS: cfg.TLS, Retention: cfg.Retention, Limits: cfg.Limits, ForgetAfter: cfg.ForgetAfter,
		Alerts: cfg.Alerts.Settings, Learn: cfg.Alerts.learn,
		Rings: manager.RingConfig{Listen: heartbeatAddr(cfg, 0), Profile: cfg.Profile, Local: local, KeyLife: cfg.RingKeyLife},
	})
}

func exporterConfig(cfg serveConfig) exporter.Config {
	return exporter.Config{Version: cfg.Build.Version, Revision: cfg.Build.Revision, Logger: cfg.Logger}
}
