package main

import (
	"context"
	"net/netip"

	"github.com/spf13/cobra"

	"cassini/agent"
	"cassini/exporter"
	"cassini/manager"
)

func newRun(sys *system) *server {
	cmd := &cobra.Command{
		Use:     "run",
		Short:   "Run agent and manager of this machine in one process",
		Example: "  cassini run\n  cassini run --data-dir /tmp/cassini --listen 127.0.0.1:2000",
	}
	return newServer(cmd, sys, defaultListen)
}

// serveRun wires agent and manager together: the manager is the agent's sink, and
// asks it for fresh counters without a detour.
func serveRun(ctx context.Context, cfg serveConfig) error {
	m := newManagerOf(cfg, true)
	a := newAgentOf(cfg, m, agent.Rings{
		Manager: inProcess{m}, Listen: heartbeatAddr(cfg, 1), Watch: cfg.Watch, Chassis: cfg.Chassis, Reflect: cfg.Reflect,
		Addr: func() (netip.Addr, error) { return ownAddr(cfg) },
	})
	metrics := exporter.New(exporter.Sources{
		Capture: a.CaptureStats, Outbox: a.OutboxStats, Network: a.NetworkStats, Names: a.NameStats, Rings: a.RingStats, Keeper: m.RingKeeperStats,
		Process: cfg.Live.Stats, Store: m.StoreStats, Graph: m.GraphStats, Requests: m.RequestStats, Deliveries: m.DeliveryStats, Alerts: m.AlertStats, Audit: m.AuditStats, Tenants: m.TenantStats, Guests: m.GuestStats, Dependencies: m.Dependencies,
	}, exporterConfig(cfg))
	m.Attach(manager.Parts{
		Metrics: metrics.Handler(), Capture: a.CaptureStats, Outbox: a.OutboxStats, Network: a.NetworkStats,
		Ready: a.CheckReady, Reload: cfg.Live.Reload, Debug: debugging(cfg.Live.flight), Served: cfg.Live.served,
	})
	cfg.Live.on(part{ready: m.Ready, apply: reconfigure(m), told: m.Reloaded, alive: func(ctx context.Context) error {
		a.Alive()
		return m.Alive(ctx)
	}})
	m.RegisterRefresher(cfg.Host, a)
	run := func(ctx context.Context) error {
		return nest(ctx, func(ctx context.Context) error { return m.Run(ctx, cfg.Listener) }, a.Run)
	}
	return withMetrics(cfg, metrics, run)(ctx)
}
