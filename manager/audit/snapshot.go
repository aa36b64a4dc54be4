package audit

import "cassini/manager/archive"

// Snapshot begins to read the file as it is at this moment.
func (l *Log) Snapshot() (archive.Part, error) { return l.file.Snapshot() }
