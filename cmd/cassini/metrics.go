package main

import (
	"context"

	"cassini/cmd/cassini/internal/config"
	"cassini/exporter"
	"cassini/exporter/port"
)

// addMetrics adds the settings of a port for metrics alone.
func (s *server) addMetrics() {
	flags := s.cmd.Flags()
	flags.StringSliceVar(&s.metrics.Listen, "metrics-listen", nil, "`HOST:PORT` to serve metrics on as well, for Prometheus alone")
	flags.BoolVar(&s.metrics.Systemd, "metrics-systemd-socket", false, "serve metrics on the sockets that systemd passes")
	flags.StringVar(&s.metrics.File, "metrics-config", "", "web configuration `file` of that port: TLS, users and limits, as Prometheus' exporters have it")
	config.Mark(flags, "metrics-listen", "metrics-systemd-socket", "metrics-config")
}

// checkMetrics says what is wrong with these settings.
func (s *server) checkMetrics() error {
	s.metrics.Insecure = s.insecure
	if err := s.metrics.Check(); err != nil {
		return usagef("--metrics-listen, --metrics-config: %w", err)
	}
	return nil
}

// withMetrics is run with the port for metrics beside it, if there is one. When either ends,
// so does the other.
func withMetrics(cfg serveConfig, e *exporter.Exporter, run func(context.Context) error) func(context.Context) error {
	if !cfg.Metrics.On() {
		return run
	}
	serve := func(ctx context.Context) error {
		return port.Serve(ctx, cfg.Metrics, e.Handler(), cfg.Build.Version, cfg.Logger)
	}
	return func(ctx context.Context) error { return nest(ctx, serve, run) }
}
