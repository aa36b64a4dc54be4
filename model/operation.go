package model

import "time"

// Reloaded is what came of reading the configuration again.
type Reloaded struct {
	Applied []string `json:"applied"` // settings that have changed and count from now on
	Restart []string `json:"restart"` // settings that have changed and count after a restart
}

// ProcessStats are figures of how a process is set up.
type ProcessStats struct {
	MemoryLimit uint64    // bytes that the garbage collector keeps to; 0 without a limit
	ReloadOK    bool      // whether the configuration could be read the last time
	ReloadedAt  time.Time // when it could be read the last time
	Flight      *FlightStats
}

// FlightStats are totals of a flight recorder.
type FlightStats struct {
	Written uint64 // files
	Skipped uint64 // oddities within a minute of the last file
	Failed  uint64 // files that could not be written
}
