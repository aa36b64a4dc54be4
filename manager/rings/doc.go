// Package rings decides who watches whom. It groups the estate's hosts into rings by the
// switch or subnet that they share, each tenant's by themselves, joins these by rings of representatives, mends a ring
// when a member has died, and finds out whether a host has died or all that is around
// it. It is a state machine without sockets, clocks or files: the keeper runs it on real
// ones, the simulator on a modelled network.
//
// What a change costs does not depend on how large the estate is: a place in a ring is
// told to at most four members before it and two after, and a ring has at most MaxRing
// members.
package rings

import (
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// MaxRing is how many members one ring has at most: more of one zone make several rings.
const MaxRing = 64

// Representatives of each ring on the ring above.
const Representatives = 2

// State of a host.
type State string

// States.
const (
	Up           State = "up"
	Hung         State = "hung"
	Ended        State = "ended" // the agent; the host is up
	Stopped      State = "stopped"
	Shutdown     State = "shut-down"
	Crashed      State = "crashed"
	LinkDown     State = "link-down"
	Deaf         State = "deaf"
	Unobservable State = "unobservable"
)

// stateOf is what a verdict makes of its subject.
func stateOf(kind model.VerdictKind) State {
	switch kind {
	case model.VerdictHung:
		return Hung
	case model.VerdictEnded:
		return Ended
	case model.VerdictStopped:
		return Stopped
	case model.VerdictShutdown:
		return Shutdown
	case model.VerdictCrashed:
		return Crashed
	case model.VerdictLink:
		return LinkDown
	case model.VerdictDeaf:
		return Deaf
	case model.VerdictUnobservable, model.VerdictSegment, model.VerdictPartition:
		return Unobservable
	}
	return Up
}

// Host is what is known of one that has joined.
type Host struct {
	model.RingMember
	Tenant  string       `json:"tenant,omitempty"`
	Chassis string       `json:"chassis,omitempty"`
	Watch   string       `json:"watch,omitempty"`
	Secret  model.Secret `json:"secret"` // of its ring with the manager
	State   State        `json:"state"`
	Since   time.Time    `json:"since"` // of the state
	// Rings are where it has a place; none while it is dead.
	Rings []model.RingID `json:"rings,omitempty"`
	// Left are the rings that it lost its place in and does not know so yet, with the
	// epoch from which on it has none.
	Left map[model.RingID]model.Epoch `json:"left,omitempty"`
	// Certificate is the report that its state comes from.
	Certificate *model.ReportID `json:"certificate,omitempty"`
	// ZoneLost says that its certificate is about its zone.
	ZoneLost bool `json:"zone_lost,omitempty"`

	word time.Time // when it last said that it is deaf, as far as this life of the manager knows
	back time.Time // when it was last taken for alive again, in this life of the manager
}

// alive says whether it belongs into rings.
func (h *Host) alive() bool {
	switch h.State {
	case Crashed, Stopped, Shutdown, Ended, Deaf:
		return false
	}
	return true
}

// Ring is one ring with what only the manager may know.
type Ring struct {
	ID      model.RingID  `json:"id"`
	Tenant  string        `json:"tenant,omitempty"` // whose hosts are on it
	Zone    string        `json:"zone,omitempty"`
	Level   int           `json:"level"`
	Epoch   model.Epoch   `json:"epoch"`
	Order   []string      `json:"order"` // hosts
	Master  model.Secret  `json:"master"`
	Profile model.Profile `json:"profile"`

	// Generation numbers the current key; its last 8 bits are the key's id in datagrams.
	Generation uint64    `json:"key_id"`
	Rotation   time.Time `json:"rotation,omitzero"` // when the next key is to be taken into use

	schedule *schedule // of keys, as last asked for
}

// World is what the state machine acts on. No method waits or calls back.
type World interface {
	// Send sends a control datagram to a host, in the ring.
	Send(ring model.RingID, to model.RingMember, m wire.Message)
	// Ping asks a member's kernel, which may answer though its agent does not.
	Ping(ring model.RingID, to model.RingMember)
	// Keep writes a host and a ring to disk, Drop a ring that is no more; all of one
	// call of the state machine are written before anything of it is sent.
	KeepHost(h *Host)
	KeepRing(r *Ring)
	DropRing(id model.RingID)
	DropHost(host string)
	// Verdict keeps a verdict of the manager's own.
	Verdict(v model.Verdict)
}
