package agent

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"sync"
	"time"

	"cassini/agent/heartbeat"
	"cassini/agent/host"
	"cassini/model"
)

// ErrHostGoesDown as the cause for which Run's context ends says that the whole host goes
// down. Where systemd runs the agent finds that out by itself.
var ErrHostGoesDown = errors.New("the host goes down")

// Rings is what an agent needs to be watched and to watch others. Without a Manager it
// is on no ring.
type Rings struct {
	Manager heartbeat.Manager
	Listen  netip.AddrPort // where heartbeats are heard, UDP
	// Addr is the address at which others reach this host.
	Addr  func() (netip.Addr, error)
	Watch string // kind of watch: heartbeat.WatchAuto, WatchKernel or WatchUser
	// Reflect has the kernel answer for an agent that may not get to it.
	Reflect bool
	// Chassis is what this host fails with besides its switch, such as an enclosure of
	// blades or the machine that virtual ones run on; "" is what the firmware tells.
	Chassis string
}

// membership is this host in its rings, one life after the other.
type membership struct {
	mu   sync.Mutex
	life *heartbeat.Heartbeat
}

// run is a member until the context ends.
func (m *membership) run(ctx context.Context, a *Agent, p *parts) error {
	if a.cfg.Rings.Manager == nil {
		<-ctx.Done()
		return nil
	}
	chassis := short(a.cfg.Rings.Chassis)
	if chassis == "" {
		chassis = ownChassis(os.DirFS(dmi))
	}
	for {
		life, err := heartbeat.New(heartbeat.Config{
			Host: a.cfg.Host, DataDir: a.cfg.DataDir, Doubted: a.cfg.Doubted, Manager: a.cfg.Rings.Manager, Logger: a.cfg.Logger,
			Listen: a.cfg.Rings.Listen, Addr: a.cfg.Rings.Addr, Watch: a.cfg.Rings.Watch, Reflect: a.cfg.Rings.Reflect, Report: p.outbox.Put, Restored: p.outbox.Doubt,
			Zone: func(addr netip.Addr) (string, string) {
				if p.netconf == nil {
					return subnetOf(addr), chassis
				}
				return zone(addr, p.netconf.Interfaces(), p.frames.Neighbors()), chassis
			},
			GoingDown: func() bool {
				return errors.Is(context.Cause(ctx), ErrHostGoesDown) || host.GoingDown(context.WithoutCancel(ctx))
			},
		})
		if err != nil {
			return err
		}
		m.mu.Lock()
		m.life = life
		m.mu.Unlock()
		if err := life.Run(ctx); !errors.Is(err, heartbeat.ErrAnew) {
			return err
		}
	}
}

// moved says that this host may have another address, or stand in another zone.
func (m *membership) moved(docs []model.Document) {
	for _, doc := range docs {
		if doc.Package != model.PackageNetConfig && doc.Package != model.PackageNeighbors {
			continue
		}
		m.mu.Lock()
		if m.life != nil {
			m.life.Moved()
		}
		m.mu.Unlock()
		return
	}
}

// managerMoved says that the manager is reached elsewhere, or may know a later life of this host.
func (m *membership) managerMoved() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life != nil {
		m.life.ManagerMoved()
	}
}

// managerBack says that the manager was away, and for how long.
func (m *membership) managerBack(away time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life != nil {
		m.life.ManagerBack(away)
	}
}

func (m *membership) stats() *model.RingStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.life == nil {
		return nil
	}
	return m.life.Stats()
}

// ManagerMoved says that the manager is reached elsewhere than before, or may know a later life of
// this host. It does not block.
func (a *Agent) ManagerMoved() {
	if p := a.running(); p != nil {
		p.rings.managerMoved()
	}
}

// RingStats reads the figures of this host in its rings; nil while it is on none.
func (a *Agent) RingStats() *model.RingStats {
	p := a.running()
	if p == nil {
		return nil
	}
	return p.rings.stats()
}

// runLiveness is on rings, and nothing else.
func (a *Agent) runLiveness(ctx context.Context) error {
	box, err := a.openOutbox()
	if err != nil {
		return err
	}
	p := &parts{outbox: box}
	a.mu.Lock()
	a.parts = p
	a.mu.Unlock()
	return a.whileSending(ctx, box, func(ctx context.Context) error {
		if err := a.publishHost(box); err != nil {
			return err
		}
		close(a.ready)
		a.cfg.Logger.Info("on rings, and discovering nothing, as was asked for", "host", a.cfg.Host)
		return p.rings.run(ctx, a, p)
	})
}
