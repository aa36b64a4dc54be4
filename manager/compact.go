package manager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cassini/manager/api"
	"cassini/manager/store/bolt"
	"cassini/model"
)

// compactAgain is how long nothing is compacted by itself after that failed.
const compactAgain = time.Hour

// Compact gives space that the document log does not use back to the file system, while
// everything goes on. Errors wrap api.ErrBusy where that is not possible now, store.ErrFull
// where there is no room for it, or the cause.
func (m *Manager) Compact(ctx context.Context) (c model.Compacted, err error) {
	if err := m.await(ctx); err != nil {
		return c, err
	}
	c.Before, c.After, err = m.disk.CompactOnline(ctx)
	if errors.Is(err, bolt.ErrCompacting) || errors.Is(err, bolt.ErrRestless) {
		return c, fmt.Errorf("compact: %w: %w; try again later", api.ErrBusy, err)
	}
	if err == nil {
		m.log.Info("document log compacted", "before", c.Before, "after", c.After)
	}
	return c, err
}

// tidyFile compacts the log when most of its file is not used.
func (m *Manager) tidyFile(ctx context.Context) {
	now := m.cfg.Now()
	if now.Before(m.forgot.compact) || !m.disk.WorthCompacting() {
		return
	}
	if _, err := m.Compact(ctx); err != nil && ctx.Err() == nil {
		m.forgot.compact = now.Add(compactAgain)
		m.log.Warn("the document log could not be compacted; it is tried again", "in", compactAgain, "error", err)
	}
}
