package manager

import (
	"context"
	"errors"

	"cassini/manager/enroll"
	"cassini/manager/store/bolt"
)

// Retention is how long and how much the document log remembers.
type Retention = bolt.Retention

// DefaultRetention is that of a manager which is told nothing else.
func DefaultRetention() Retention {
	return Retention{MaxAge: bolt.DefaultMaxAge, MaxSize: bolt.DefaultMaxSize}
}

// Live is what can change while the manager runs.
type Live struct {
	Retention Retention
	Files     enroll.Files // read again: a certificate may have been renewed in its place
}

// errStarting says that there is nothing yet that could change.
var errStarting = errors.New("the manager is still starting; try again in a moment")

// Reconfigure changes it all, or on an error nothing. Without TLS the files are not
// looked at.
func (m *Manager) Reconfigure(l Live) error {
	if !m.Replayed() {
		return errStarting
	}
	if m.enroll != nil {
		if err := m.enroll.ReadFiles(l.Files); err != nil {
			return err
		}
	}
	m.disk.SetRetention(l.Retention)
	return nil
}

// Alive fails, or does not return, when the manager hangs: it asks the document log and
// the loop of the rings. While it starts there is nothing to ask.
func (m *Manager) Alive(ctx context.Context) error {
	if !m.Replayed() {
		return nil
	}
	if _, err := m.store.Stats(); err != nil {
		return err
	}
	if m.keeper == nil {
		return nil
	}
	return m.keeper.Alive(ctx)
}
