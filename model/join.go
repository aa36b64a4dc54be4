package model

import (
	"errors"
	"net/netip"
	"time"
)

// Join is what an agent tells the manager to be watched: POST /api/v1/rings/join.
type Join struct {
	RingMember
	// Chassis holds several hosts, such as blades: they fail together, and are not made
	// neighbors if that can be helped.
	Chassis string `json:"chassis,omitempty"`
	// Watch is "kernel" or "user": who waits for heartbeats there.
	Watch string `json:"watch,omitempty"`
}

// Joined is the manager's answer.
type Joined struct {
	// Incarnation is what the agent has to be at least: more than it said when the
	// manager knows a later life, whose record the agent has lost.
	Incarnation Incarnation `json:"incarnation"`
	// Manager is where instructions come from, in a ring of only the two, whose name and
	// keys these are.
	Manager     RingMember    `json:"manager"`
	Ring        RingID        `json:"ring"`
	Keys        KeySet        `json:"keys"`
	Assignments []*Assignment `json:"assignments"`
}

// ErrJoinRefused says that the manager will not take a host, however often it asks.
var ErrJoinRefused = errors.New("the manager refuses this host")

// BusyError says that the manager wants to be asked again later.
type BusyError struct {
	After time.Duration // at the earliest
	Err   error
}

// Error implements error.
func (e *BusyError) Error() string { return e.Err.Error() }

// Unwrap gives what the manager said.
func (e *BusyError) Unwrap() error { return e.Err }

// ManagerHost is the manager's name in rings. No host can have it.
const ManagerHost = "(manager)"

// ManagerRing is the ring of one host and the manager.
func ManagerRing(host string) RingID { return RingID("manager/" + host) }

// Ring is a ring as documents and answers tell it: everything but its keys.
type Ring struct {
	ID    RingID `json:"id"`
	Epoch Epoch  `json:"epoch"`
	// Level is 0 for rings of hosts that share a switch or subnet, and one more for
	// rings of their representatives.
	Level   int          `json:"level"`
	Tenant  string       `json:"tenant,omitempty"` // whose hosts are on it
	Zone    string       `json:"zone,omitempty"`
	Members []RingMember `json:"members"` // in order; the last is followed by the first
	Profile Profile      `json:"profile"`
}

// States of a ring.
const (
	RingWhole   = "whole"
	RingMending = "mending" // a place was not acknowledged yet
	RingTorn    = "torn"    // a member does not do its part
)

// RingHealth is a ring with how it is.
type RingHealth struct {
	Ring
	State string `json:"state"`
	// Unwell are members that are not up, Unacknowledged those that have yet to say
	// that they know their place.
	Unwell         []string `json:"unwell,omitempty"`
	Unacknowledged []string `json:"unacknowledged,omitempty"`
}

// HostLiveness is whether a host is up, and who would know if it were not.
type HostLiveness struct {
	Host        string         `json:"host"`
	Addr        netip.AddrPort `json:"addr"`
	Zone        string         `json:"zone,omitempty"`
	Incarnation Incarnation    `json:"incarnation"`
	// State is up, hung, ended, stopped, shut-down, crashed, link-down, deaf or unobservable.
	State     string    `json:"state"`
	Since     time.Time `json:"since"`
	Watch     string    `json:"watch,omitempty"` // "kernel" or "user": who waits there for heartbeats
	Rings     []RingID  `json:"rings,omitempty"`
	WatchedBy []string  `json:"watched_by"` // hosts, or ManagerHost
}
