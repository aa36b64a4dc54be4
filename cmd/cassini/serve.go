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

	"cassini/cmd/cassini/internal/buildinfo"
	"cassini/cmd/cassini/internal/config"
)

// defaultDataDir is where Cassini keeps what must survive a restart.
const defaultDataDir = "/var/lib/cassini"

// serveConfig is what the server commands know when their settings are settled,
// their port is bound and their data directory is there.
type serveConfig struct {
	Host    string // the name of this machine
	DataDir string
	Manager string // URL of the manager, for an agent
	Build   buildinfo.Info
	Start   time.Time
	Logger  *slog.Logger
	// Listener is bound. The function that is given it closes it.
	Listener net.Listener
}

// serveFunc runs a server until the context ends; then it returns nil soon.
type serveFunc func(ctx context.Context, cfg serveConfig) error

// server is the part of a server command that is the same for all.
type server struct {
	sys                      *system
	dataDir, listen, manager string
	logLevel, logFormat      *enum
}

// newServer adds the flags of a server command and what it does.
func newServer(cmd *cobra.Command, sys *system, listen string) *server {
	s := &server{sys: sys}
	cmd.GroupID = groupServe
	cmd.Args = noArgs
	flags := cmd.Flags()
	flags.StringVar(&s.dataDir, "data-dir", defaultDataDir, "`directory` for what must survive a restart")
	flags.StringVar(&s.listen, "listen", listen, "loopback `HOST:PORT` to listen on")
	s.logLevel = addEnum(cmd, "log-level", "", "what to log at least", "info", "debug", "warn", "error")
	s.logFormat = addEnum(cmd, "log-format", "", "how to log", "text", "json")
	config.Mark(flags, "data-dir", "listen", "log-level", "log-format")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := settle(cmd, sys); err != nil {
			return err
		}
		return s.run(cmd.Context(), cmd.Name())
	}
	return s
}

// run binds the port first, since that is what fails most and costs least.
func (s *server) run(ctx context.Context, name string) error {
	if err := checkLoopback(s.listen); err != nil {
		return err
	}
	if err := checkManager(s.manager); err != nil {
		return err
	}
	cfg := serveConfig{DataDir: s.dataDir, Manager: s.manager, Build: buildinfo.Read(), Start: s.sys.now().UTC()}
	cfg.Logger = newLogger(s.sys.stderr, s.logLevel.value, s.logFormat.value)
	var err error
	if cfg.Host, err = os.Hostname(); err != nil {
		return fmt.Errorf("read the host name: %w", err)
	}
	if cfg.Listener, err = bind(ctx, s.listen); err != nil {
		return err
	}
	defer cfg.Listener.Close() // again, for the ways out before the server has it
	if err := prepareDataDir(s.dataDir); err != nil {
		return err
	}
	cfg.Logger.Info("cassini starts", "command", name, "version", cfg.Build.Version, "listen", cfg.Listener.Addr().String(), "data_dir", s.dataDir)
	stop := context.AfterFunc(ctx, func() { cfg.Logger.Info("cassini ends; a second signal ends it at once") })
	defer stop()
	return s.sys.serve[name](ctx, cfg)
}

func newLogger(w io.Writer, level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}[level]}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
