package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"cassini/agent/heartbeat"
	"cassini/agent/srv"
	"cassini/cmd/cassini/internal/buildinfo"
	"cassini/cmd/cassini/internal/config"
	"cassini/exporter/port"
	"cassini/manager"
	"cassini/manager/rings"
	"cassini/model"
)

// defaultDataDir is where Cassini keeps what must survive a restart.
const defaultDataDir = "/var/lib/cassini"

// serveConfig is what the server commands know when their settings are settled,
// their port is bound and their data directory is there.
type serveConfig struct {
	Host    string // the name of this machine
	CopyOf  string // of an agent: whose data directory its own is a copy of
	Doubted bool   // likewise: whether it may be another machine's
	DataDir string
	Manager string      // URL of the manager, or srv:DOMAIN, for an agent
	Finder  *srv.Finder // of a manager that DNS names, else nil
	Build   buildinfo.Info
	Start   time.Time
	Logger  *slog.Logger
	// Insecure: listen, or reach the manager, beyond loopback without encryption.
	Insecure bool
	TLS      manager.TLS   // of a manager
	AgentTLS agentTLS      // of an agent that did not join
	Alerts   alertSettings // likewise
	// LivenessOnly: an agent that is on rings and discovers nothing.
	LivenessOnly bool
	// Thrifty: an agent that has the process for itself, where nobody says how to collect garbage.
	Thrifty  bool
	Tables   tables // none of them 0
	UDPBytes bool
	// WithoutUnix: Unix-domain sockets are left alone. UnixBytes: what they move is counted.
	WithoutUnix, UnixBytes bool
	Watch                  string        // kind of the watch of heartbeats
	Profile                model.Profile // of new rings
	Retention              manager.Retention
	ForgetAfter            time.Duration
	Limits                 manager.Limits
	// Live gives the server settings that change while it runs.
	Live        *live
	RingKeyLife time.Duration // 0 is for ever
	Chassis     string        // "" is what the firmware tells
	Reflect     bool          // the kernel answers for the agent
	Metrics     port.Config   // of a port for metrics alone
	// Listener is bound. The function that is given it closes it.
	Listener net.Listener
}

// serveFunc runs a server until the context ends; then it returns nil soon.
type serveFunc func(ctx context.Context, cfg serveConfig) error

// server is the part of a server command that is the same for all.
type server struct {
	sys                      *system
	cmd                      *cobra.Command
	dataDir, listen, manager string
	chassis                  string
	insecure, livenessOnly   bool
	tables                   tables
	udpBytes, unixBytes      bool
	unix                     bool
	reflect                  bool
	ringKeyLife              time.Duration
	watch, profile           *enum
	logLevel, logFormat      *enum
	tls                      manager.TLS
	agentTLS                 agentTLS
	memory                   size
	retention                manager.Retention
	limits                   manager.Limits
	forgetAfter              time.Duration
	flight                   bool
	slow                     time.Duration
	alerts                   alertSettings
	metrics                  port.Config
}

// newServer adds the flags of a server command and what it does.
func newServer(cmd *cobra.Command, sys *system, listen string) *server {
	s := &server{sys: sys, cmd: cmd}
	cmd.GroupID = groupServe
	cmd.Args = noArgs
	flags := cmd.Flags()
	flags.StringVar(&s.dataDir, "data-dir", defaultDataDir, "`directory` for what must survive a restart")
	flags.StringVar(&s.listen, "listen", listen, "`HOST:PORT` to listen on: TCP for the API, UDP for heartbeats")
	flags.BoolVar(&s.insecure, "insecure", false, "listen, or reach the manager, beyond loopback without TLS: nothing is encrypted or authenticated")
	s.logLevel = addEnum(cmd, "log-level", "", "what to log at least", "info", "debug", "warn", "error")
	s.logFormat = addEnum(cmd, "log-format", "", "how to log", "text", "json")
	config.Mark(flags, "data-dir", "listen", "insecure", "log-level", "log-format")
	s.watch = &enum{value: heartbeat.WatchAuto}
	if cmd.Name() != "manager" {
		s.watch = addEnum(cmd, "heartbeat-watch", "", "who waits for neighbors' heartbeats", heartbeat.WatchAuto, heartbeat.WatchKernel, heartbeat.WatchUser)
		flags.BoolVar(&s.livenessOnly, "liveness-only", false, "be on rings, and discover nothing")
		flags.BoolVar(&s.unix, "unix", true, "capture Unix-domain sockets too: who listens on which path or abstract name, and who is a client of it")
		s.tables.flags(flags)
		flags.BoolVar(&s.udpBytes, "udp-bytes", false, "count bytes and datagrams of UDP too, by a program that every packet of every socket passes")
		flags.BoolVar(&s.unixBytes, "unix-bytes", false, "count bytes over Unix-domain sockets too, by programs that every message passes; where the kernel refuses trampolines, of other sockets as well")
		flags.StringVar(&s.chassis, "chassis", "", "`name` of what this host fails with, such as its enclosure or hypervisor: neighbors on a ring have others (default: as the firmware tells)")
		flags.BoolVar(&s.reflect, "heartbeat-reflector", false, "have the kernel answer for an agent that gets no CPU, by a program on the interface (tcx, Linux 6.6): for networks that filter ICMP")
		config.Mark(flags, "heartbeat-watch", "heartbeat-reflector", "liveness-only", "unix", "edges", "connections", "udp-bytes", "unix-bytes", "chassis")
	}
	s.profile = &enum{value: profileStandard}
	if cmd.Name() != "agent" {
		s.profile = addEnum(cmd, "heartbeat-profile", "", "how fast a death is told: within 5 s, or 0.6 s for ten times the datagrams", profileStandard, profileFast)
		flags.DurationVar(&s.ringKeyLife, "ring-key-life", rings.DefaultRotation, "for how long the keys of a ring are in use, more or less; 0 is until they are rotated by the API")
		config.Mark(flags, "heartbeat-profile", "ring-key-life")
		addTLS(flags, &s.tls)
		s.addRetention()
		s.addLimits()
		addAlerts(flags, &s.alerts)
	}
	s.addMemory()
	s.addFlight()
	s.addMetrics()
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		return s.run(cmd.Context())
	}
	return s
}

// check says what is wrong with the settings together.
func (s *server) check() error {
	if err := settleTLS(&s.tls, s.insecure); err != nil {
		return err
	}
	if err := checkListen(s.listen, s.open()); err != nil {
		return err
	}
	if s.tls.Announce && manager.CheckListen(s.listen) == nil {
		return usagef("--announce/CASSINI_ANNOUNCE: nobody else reaches --listen %s; use an address beyond loopback, such as 0.0.0.0:1984", s.listen)
	}
	if s.ringKeyLife < 0 {
		return usagef("--ring-key-life/CASSINI_RING_KEY_LIFE %v: want 0 or more", s.ringKeyLife)
	}
	if s.cmd.Name() == "agent" && s.manager == "" {
		return usagef("no manager is named: say --manager URL or CASSINI_MANAGER=URL, or srv:DOMAIN to ask DNS, or leave them out for the manager on this machine")
	}
	if err := checkManager(s.manager, s.insecure); err != nil {
		return err
	}
	if err := s.agentTLS.settle(s.manager); err != nil {
		return err
	}
	if err := s.tables.check(); err != nil {
		return err
	}
	if s.slow <= 0 {
		return usagef("--slow-request/CASSINI_SLOW_REQUEST %v: want a duration above 0", s.slow)
	}
	if s.retention.MaxAge < 0 {
		return usagef("--retention-age/CASSINI_RETENTION_AGE %v: want a duration above 0", s.retention.MaxAge)
	}
	if s.forgetAfter < 0 {
		return usagef("--forget-hosts-after/CASSINI_FORGET_HOSTS_AFTER %v: want a duration, or 0 for never", s.forgetAfter)
	}
	if err := s.checkLimits(); err != nil {
		return err
	}
	if err := s.checkMetrics(); err != nil {
		return err
	}
	return s.alerts.check()
}

// open says whether others may reach the port.
func (s *server) open() bool { return s.insecure || s.cmd.Name() == "manager" || s.tls.On }

// run binds the port first, since that is what fails most and costs least.
func (s *server) run(ctx context.Context) error {
	if err := s.check(); err != nil {
		return err
	}
	name := s.cmd.Name()
	cfg := serveConfig{DataDir: s.dataDir, Manager: s.manager, Build: buildinfo.Read(), Start: s.sys.now().UTC()}
	cfg.LivenessOnly, cfg.WithoutUnix, cfg.UnixBytes = s.livenessOnly, !s.unix, s.unixBytes
	cfg.Tables, cfg.UDPBytes = s.tables.on(memory()), s.udpBytes
	cfg.TLS, cfg.Retention, cfg.Alerts = s.tls, s.retention, s.alerts
	cfg.AgentTLS, cfg.Limits, cfg.ForgetAfter = s.agentTLS, s.limits, s.forgetAfter
	cfg.Insecure, cfg.Watch, cfg.Profile = s.insecure, s.watch.value, profiles()[s.profile.value]
	cfg.RingKeyLife, cfg.Chassis, cfg.Reflect = s.ringKeyLife, s.chassis, s.reflect
	cfg.Metrics = s.metrics
	level := new(slog.LevelVar)
	level.Set(logLevel(s.logLevel.value))
	cfg.Logger = newLogger(s.sys.stderr, level, s.logFormat.value)
	cfg.Finder = newFinder(s.manager, s.sys.resolver, cfg.Logger)
	var err error
	if cfg.Host, err = os.Hostname(); err != nil {
		return fmt.Errorf("read the host name: %w", err)
	}
	if cfg.Listener, err = bind(ctx, s.listen, s.open()); err != nil {
		return err
	}
	defer cfg.Listener.Close() // again, for the ways out before the server has it
	if err := prepareDataDir(s.dataDir); err != nil {
		return err
	}
	cfg.Logger.Info("cassini starts", "command", name, "version", cfg.Build.Version, "listen", cfg.Listener.Addr().String(), "data_dir", s.dataDir)
	if s.insecure {
		cfg.Logger.Warn("--insecure: whoever reaches this port can read and change everything, keys of rings included; use it where you trust everybody")
	}
	if name == "agent" && !s.cmd.Flags().Changed("manager") {
		cfg.Logger.Warn("no manager is named by --manager, CASSINI_MANAGER or the configuration file: the one on this machine is meant", "manager", s.manager)
	}
	cfg.Live = newLive(s, cfg, level)
	defer cfg.Live.start(ctx, "serving on "+cfg.Listener.Addr().String())()
	stop := context.AfterFunc(ctx, func() { cfg.Logger.Info("cassini ends; a second signal ends it at once") })
	defer stop()
	return s.sys.serve[name](ctx, cfg)
}

func newLogger(w io.Writer, level slog.Leveler, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func logLevel(name string) slog.Level {
	return map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[name]
}
