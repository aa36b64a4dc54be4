package manager

import (
	"context"
	"fmt"
	"io"

	"cassini/manager/archive"
)

// Backup writes all that a manager cannot make anew while it works: its log, rings,
// authority, audit log and what was told of alerts, as of nearly one moment. While w takes it, the log
// grows by what is written meanwhile.
func (m *Manager) Backup(ctx context.Context, w io.Writer) error {
	if err := m.await(ctx); err != nil {
		return err
	}
	// What says that something is not in the log yet comes before the log.
	var sources []archive.Source
	if m.keeper != nil {
		sources = append(sources, m.keeper.Snapshot)
	}
	if m.alerts != nil {
		sources = append(sources, m.alerts.Snapshot)
	}
	if m.audit != nil {
		sources = append(sources, m.audit.Snapshot)
	}
	if m.enroll != nil {
		sources = append(sources, m.enroll.Snapshots()...)
	}
	sources = append(sources, m.disk.Snapshot)
	begin := m.cfg.Now()
	err := archive.Write(untilDone{ctx, w}, archive.Manifest{Cassini: m.cfg.Version, Host: m.cfg.Host, Time: begin.UTC()}, sources)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	m.log.Info("backup taken", "took", m.cfg.Now().Sub(begin))
	return nil
}

// untilDone is a writer that fails once a context has ended, so that a snapshot is held no
// longer than somebody wants it.
type untilDone struct {
	ctx context.Context
	w   io.Writer
}

func (u untilDone) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}
