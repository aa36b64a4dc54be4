// Package notify tells systemd how a server is: that it is ready, reads its configuration
// again, ends, and lives. Where no service manager listens it does nothing.
//
// The protocol is that of sd_notify(3); its variables are read from the environment.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Config is what Run needs.
type Config struct {
	// Ready says why the server cannot do its work yet, or nil.
	Ready func() error
	// Alive fails, or does not return, when the server hangs.
	Alive  func(ctx context.Context) error
	Status string // what systemctl status shows once it is ready
	Logger *slog.Logger
}

const (
	// readyEvery is how often a server that is not ready is asked again.
	readyEvery = 100 * time.Millisecond
	// startBy is how long systemd is asked to wait beyond now for one that is at work.
	startBy = time.Minute
	// pings are how often the watchdog is told within its time: it is no drama if the
	// machine is slow once.
	pings = 4
)

// Run tells systemd about the server until the context ends.
func Run(ctx context.Context, cfg Config) {
	told, err := daemon.SdNotify(false, "STATUS=starting")
	if err != nil {
		cfg.Logger.Warn("systemd cannot be told anything", "error", err)
	}
	if !told {
		return
	}
	if cfg.untilReady(ctx) {
		cfg.tell(daemon.SdNotifyReady + "\nSTATUS=" + cfg.Status)
		cfg.watch(ctx)
	}
	cfg.tell(daemon.SdNotifyStopping + "\nSTATUS=ending")
}

// untilReady waits, and lets systemd wait.
func (c Config) untilReady(ctx context.Context) bool {
	ticks := time.NewTicker(readyEvery)
	defer ticks.Stop()
	var told time.Time
	for {
		err := c.Ready()
		if err == nil {
			return true
		}
		if now := time.Now(); now.Sub(told) > startBy/4 {
			c.tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d\nSTATUS=starting: %v", startBy.Microseconds(), err))
			told = now
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return false
		}
	}
}

// watch tells the watchdog that the server lives, while it does.
func (c Config) watch(ctx context.Context) {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		c.Logger.Warn("the watchdog of systemd is not told anything", "error", err)
	}
	if within == 0 {
		<-ctx.Done()
		return
	}
	ticks := time.NewTicker(within / pings)
	defer ticks.Stop()
	for {
		if err := c.ask(ctx, within/pings); err == nil {
			c.tell(daemon.SdNotifyWatchdog)
		} else if ctx.Err() == nil {
			c.Logger.Error("this server does not answer itself; systemd ends it if that goes on", "within", within, "error", err)
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
	}
}

var errHangs = errors.New("no answer in time")

// ask runs Alive. One that hangs stays behind: the process is about to be ended.
func (c Config) ask(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- c.Alive(ctx) }()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return errHangs
	}
}

func (c Config) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		c.Logger.Debug("tell systemd", "state", state, "error", err)
	}
}

// Reloading says that the configuration is read again, until the function that it returns
// is called.
func Reloading() (done func()) {
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec()) // nobody depends on it
	return func() { _, _ = daemon.SdNotify(false, daemon.SdNotifyReady) }
}
