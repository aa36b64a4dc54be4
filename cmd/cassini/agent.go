package main

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"cassini/agent"
	"cassini/agent/srv"
	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/config"
	"cassini/exporter"
)

func newAgent(sys *system) *server {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Run an agent alone; it brings its documents to a manager",
	}
	s := newServer(cmd, sys, defaultAgentListen)
	cmd.Flags().StringVar(&s.manager, "manager", client.DefaultURL, "`URL` of the manager, or srv:DOMAIN: DNS says where it is, by SRV records of _cassini._tcp.DOMAIN, and for srv:local multicast DNS")
	config.Mark(cmd.Flags(), "manager")
	s.agentTLS.addFlags(cmd.Flags())
	return s
}

// checkManager refuses managers that documents could only reach over the network in the
// clear. An agent has one, the other servers "".
func checkManager(raw string, insecure bool) error {
	if raw == "" {
		return nil
	}
	if _, byDNS, err := srv.Domain(raw); byDNS {
		return asUsage("--manager/CASSINI_MANAGER", raw, err)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usagef("--manager/CASSINI_MANAGER %q: want a URL such as %s or https://manager.example:1984, or srv:example.org to ask DNS", raw, client.DefaultURL)
	}
	if u.Scheme == "https" {
		return nil
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback() || insecure {
		return nil
	}
	return usagef("--manager/CASSINI_MANAGER %q: not a loopback address, and without TLS documents and keys would cross the network in the clear: say https://..., after 'cassini join', or --insecure where nobody listens whom you do not trust", raw)
}

// serveAgent runs an agent whose manager is another process.
func serveAgent(ctx context.Context, cfg serveConfig) error {
	if os.Getenv("GOMAXPROCS") == "" {
		// One core at most: it mostly waits, and wakes fewer threads when it does not.
		runtime.GOMAXPROCS(1)
	}
	// It makes little garbage but when somebody asks: room for much of it would stay unused.
	cfg.Thrifty = os.Getenv("GOGC") == ""
	to, err := settleAgent(ctx, cfg)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	to.speakAs(cfg, end)
	cfg.Host, cfg.CopyOf, cfg.Doubted = to.Host, to.CopyOf, to.Doubted
	sink := to.sink
	a := newAgentOf(cfg, sink, agent.Rings{
		Manager: sink, Listen: heartbeatAddr(cfg, 0), Watch: cfg.Watch, Chassis: cfg.Chassis, Reflect: cfg.Reflect,
		Addr: func() (netip.Addr, error) { return addrTowardManager(cfg) },
	})
	if cfg.Finder != nil {
		cfg.Finder.OnMove(a.ManagerMoved)
	}
	sources := exporter.Sources{Process: cfg.Live.Stats, Outbox: a.OutboxStats, Sent: sink.Stats, Rings: a.RingStats}
	if !cfg.LivenessOnly {
		sources.Capture, sources.Network, sources.Names = a.CaptureStats, a.NetworkStats, a.NameStats
	}
	cfg.Live.on(part{ready: a.CheckReady, alive: lives(a), apply: func(*server) error { return nil }})
	metrics := exporter.New(sources, exporterConfig(cfg))
	handler := guard(operated(a.Handler(metrics.Handler(), cfg.Start), cfg))
	serve := func(ctx context.Context) error { return serveHTTP(ctx, cfg.Listener, handler, cfg.Logger) }
	err = withMetrics(cfg, metrics, func(ctx context.Context) error { return nest(ctx, serve, to.work(a.Run)) })(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errNotMine) || errors.Is(cause, errNotGiven) {
		return errors.Join(cause, err)
	}
	return err
}

// lives asks an agent whether it does.
func lives(a *agent.Agent) func(context.Context) error {
	return func(context.Context) error {
		a.Alive()
		return nil
	}
}
