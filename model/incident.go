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

// Kinds of incidents that documents tell, beside those of verdicts.
const (
	IncidentServiceGone  VerdictKind = "service-gone"        // nothing listens any more, and its host lives
	IncidentNewListener  VerdictKind = "new-listener"        // something listens that never did, on a host that is known
	IncidentDependency   VerdictKind = "dependency-vanished" // a client that had talked steadily stopped
	IncidentAddress      VerdictKind = "address-duplicate"   // two machines claim one IP address
	IncidentPortMoved    VerdictKind = "port-moved"          // a cable ends in another switch port
	IncidentHostIdentity VerdictKind = "host-cloned"         // two live machines have one identity
	IncidentHostName     VerdictKind = "host-name-shared"    // two live machines have one host name
)

// Incident is one thing that happened, with all that was reported of it: several deaths
// of one cause are one incident.
type Incident struct {
	// ID is "REPORTER/INCARNATION/SEQUENCE" of the first report, or of what documents
	// tell "KIND-" and ten hexadecimal digits.
	ID       string      `json:"id"`
	Kind     VerdictKind `json:"kind"`
	Severity string      `json:"severity"`
	State    string      `json:"state"`
	Opened   time.Time   `json:"opened"`
	Closed   time.Time   `json:"closed,omitzero"`
	// Changed is when it last began, ended, or became about more or something else.
	Changed time.Time `json:"changed"`
	// Worsened is when it last became more severe: who took it on before did not know that.
	Worsened time.Time `json:"worsened,omitzero"`
	// Cause is the node that it is about, or the first one.
	Cause string `json:"cause,omitempty"`
	// Zone is the switch or subnet of the subjects, if it is one.
	Zone string `json:"zone,omitempty"`
	// Subjects are hosts, or zones where these were lost, or nodes where documents tell
	// it; Back are those that are back.
	Subjects []string  `json:"subjects"`
	Back     []string  `json:"back,omitempty"`
	Reports  []Verdict `json:"reports"`        // in the order in which they came, 32 at most
	More     int       `json:"more,omitempty"` // reports that are not listed
	// Evidence is what documents told, for people.
	Evidence []string `json:"evidence,omitempty"`
	Into     string   `json:"into,omitempty"` // the incident that a merged one is part of
	Summary  string   `json:"summary"`
	Action   string   `json:"action,omitempty"` // what to do about it
	// Affected is what falls with it, while it is open and somebody asks.
	Affected *Affected `json:"affected,omitempty"`
	Ack      *Ack      `json:"ack,omitempty"`      // who has taken it on
	Silenced string    `json:"silenced,omitempty"` // the identifier of a silence that covers it
}

// Affected is what falls with the subjects of an incident.
type Affected struct {
	Hosts    int      `json:"hosts"`
	Services int      `json:"services"`
	Programs int      `json:"programs"` // clients that run no service
	First    []string `json:"first"`    // nodes, the nearest first, 20 at most
}

// IncidentKinds lists all kinds of incidents.
func IncidentKinds() []VerdictKind {
	return []VerdictKind{
		VerdictCrashed, VerdictEnded, VerdictHung, VerdictStopped, VerdictShutdown, VerdictLink, VerdictDeaf, VerdictUnobservable, VerdictSegment, VerdictPartition, VerdictManager,
		IncidentServiceGone, IncidentNewListener, IncidentDependency, IncidentAddress, IncidentPortMoved, IncidentHostIdentity, IncidentHostName,
	}
}
