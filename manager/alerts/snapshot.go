package alerts

import "cassini/manager/archive"

// Snapshot begins to read the file as it is at this moment.
func (a *Alerts) Snapshot() (archive.Part, error) { return a.disk.Snapshot() }
