package model

import "time"

// VerdictKind says what died, or what was believed to have.
type VerdictKind string

// The kinds of verdict.
const (
	// VerdictHung: the host's kernel answers, its agent does not; a stopped or starved one.
	VerdictHung VerdictKind = "process-hung"
	// VerdictEnded: the host's kernel answers that nothing hears at the agent's port.
	VerdictEnded VerdictKind = "process-ended"
	// VerdictCrashed: two observers hear nothing at all of the host.
	VerdictCrashed VerdictKind = "host-crashed"
	// VerdictShutdown: the agent took its leave since its host goes down.
	VerdictShutdown VerdictKind = "host-shutdown"
	// VerdictStopped: the agent took its leave, and its host stays.
	VerdictStopped VerdictKind = "agent-stopped"
	// VerdictLink: others hear the host, the reporter does not; or the reporter's own
	// interface was down.
	VerdictLink VerdictKind = "link-down"
	// VerdictDeaf: the host hears nobody, as it says itself, and what it sends arrives.
	VerdictDeaf VerdictKind = "host-deaf"
	// VerdictSegment: all that is known of a zone is silent, and what is outside of it is not.
	VerdictSegment VerdictKind = "segment-lost"
	// VerdictPartition: members of several zones cannot be heard, others can.
	VerdictPartition VerdictKind = "partition"
	// VerdictManager: the manager cannot be reached, the ring can.
	VerdictManager VerdictKind = "manager-unreachable"
	// VerdictUnobservable: silent, and nobody could confirm it: it may be dead, or this host cut off.
	VerdictUnobservable VerdictKind = "unobservable"
	// VerdictCorrected: an earlier verdict was wrong, or no longer holds.
	VerdictCorrected VerdictKind = "corrected"
)

// ClueUnlinked is the clue of a correction that is no sign of life: its reporter watches
// the host no more, and takes back what it said.
const ClueUnlinked = "unlinked"

// Death says whether the verdict ends the incarnation that it names.
func (k VerdictKind) Death() bool {
	return k == VerdictEnded || k == VerdictCrashed || k == VerdictShutdown || k == VerdictStopped
}

// Sight is what one observer saw of a suspect.
type Sight string

// Sights, from what says most to what says least.
const (
	SightAgent   Sight = "agent"   // its agent answered
	SightRefused Sight = "refused" // its kernel: nothing hears at the agent's port
	SightKernel  Sight = "kernel"  // its kernel answered, its agent did not
	SightLeft    Sight = "left"    // it had taken its leave
	SightNothing Sight = "nothing" // no answer of any kind
	SightUnable  Sight = "unable"  // the observer doubts itself
	SightPending Sight = "pending" // the observer is about to find out
)

// Observation is what one host says of a suspect.
type Observation struct {
	Observer string `json:"observer"`
	Sight    Sight  `json:"sight"`
	// Score is how often the observer accused wrongly of late, 0 to 255.
	Score uint8 `json:"score,omitempty"`
}

// Evidence is what a verdict rests on.
type Evidence struct {
	Silent       time.Duration `json:"silent"` // since the last heartbeat
	Probes       int           `json:"probes"` // sent by the reporter, all unanswered unless it says agent
	Observations []Observation `json:"observations"`
	// Doubts are the reporter's about itself while the case was open: "late",
	// "starved", "suspended", "link-down", "all-silent". It waited a window for each case with any.
	Doubts []string `json:"doubts,omitempty"`
	// Clue says by what a correction is known: "heartbeat", "answer", "restarted",
	// "segment", "reunited", ClueUnlinked.
	Clue string `json:"clue,omitempty"`
}

// SilentObservers counts the independent observers that heard nothing at all.
func (e Evidence) SilentObservers() (n int) {
	for _, o := range e.Observations {
		if o.Sight == SightNothing {
			n++
		}
	}
	return n
}

// ReportID tells a report from all others: duplicates fold by it.
type ReportID struct {
	Reporter    string      `json:"reporter"`
	Incarnation Incarnation `json:"incarnation"` // of the reporter
	Sequence    uint64      `json:"sequence"`    // counts the reports of this incarnation, from 1
}

// Verdict is a report about one incarnation of one host; where its kind is a death,
// its death certificate.
type Verdict struct {
	ID      ReportID    `json:"id"`
	Ring    RingID      `json:"ring"`
	Epoch   Epoch       `json:"epoch"`
	Kind    VerdictKind `json:"kind"`
	Subject RingMember  `json:"subject"`
	// At is the reporter's wall clock, for people; nothing is decided by it.
	At       time.Time `json:"at"`
	Evidence Evidence  `json:"evidence"`
	// Corrects is the report that a correction takes back, or that turned out to be VerdictDeaf, and Was its kind. Became is
	// what it turned out to be: "" when the subject is simply back.
	Corrects *ReportID   `json:"corrects,omitempty"`
	Was      VerdictKind `json:"was,omitempty"`
	Became   VerdictKind `json:"became,omitempty"`
	// Bridged is the successor that the reporter watches instead, if it could tell yet.
	Bridged string `json:"bridged,omitempty"`
}
