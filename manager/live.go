package manager

import (
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
