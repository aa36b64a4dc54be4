package model

import "time"

// AuditStats are the figures of the audit log since the start.
type AuditStats struct {
	Entries int               `json:"entries"`
	Oldest  time.Time         `json:"oldest,omitzero"`
	Added   map[string]uint64 `json:"added"`   // by result
	Dropped uint64            `json:"dropped"` // refusals that were too many to keep
	Failed  uint64            `json:"failed"`  // entries that could not be written
}
