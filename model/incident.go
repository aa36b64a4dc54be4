package model

import "time"

// Severities of an incident.
const (
	SeverityCritical = "critical"
	SeverityWarning  = "warning"
	SeverityInfo     = "info"
)

// States of an incident.
const (
	IncidentOpen      = "open"
	IncidentClosed    = "closed"    // what it tells is over
	IncidentCorrected = "corrected" // what it told was not so
	IncidentMerged    = "merged"    // part of a larger one
)

// Incident is one thing that happened, with all that was reported of it: several deaths
// of one cause are one incident.
type Incident struct {
	ID       string      `json:"id"` // "REPORTER/INCARNATION/SEQUENCE" of the first report
	Kind     VerdictKind `json:"kind"`
	Severity string      `json:"severity"`
	State    string      `json:"state"`
	Opened   time.Time   `json:"opened"`
	Closed   time.Time   `json:"closed,omitzero"`
	// Zone is the switch or subnet of the subjects, if it is one.
	Zone string `json:"zone,omitempty"`
	// Subjects are hosts, or zones where these were lost; Back are those that are back.
	Subjects []string  `json:"subjects"`
	Back     []string  `json:"back,omitempty"`
	Reports  []Verdict `json:"reports"`        // in the order in which they came, 32 at most
	More     int       `json:"more,omitempty"` // reports that are not listed
	Into     string    `json:"into,omitempty"` // the incident that a merged one is part of
	Summary  string    `json:"summary"`
}
