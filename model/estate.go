package model

import "net/netip"

// Cycle is services that depend on each other in a circle: each needs the next one, and
// the last the first.
type Cycle struct {
	Services []string `json:"services"` // identifiers, in the order of one such circle
	// Others are in the same knot of circles.
	Others []string `json:"others,omitempty"`
}

// Unmonitored is something that nobody watches.
type Unmonitored struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Why  string `json:"why"` // for people
	// Clients and Seen count who uses it and who sees it: what matters most comes first.
	Clients int `json:"clients"`
	Seen    int `json:"seen"`
}

// Version is how many hosts have a version of something.
type Version struct {
	Of      string   `json:"of"` // kernel, os, agent
	Version string   `json:"version"`
	Hosts   []string `json:"hosts"`
}

// Address is an IP address and who has it.
type Address struct {
	Addr   netip.Addr `json:"addr"`
	Owners []string   `json:"owners"` // interfaces of hosts, or unknown hosts
	// State is owned, shared (by several hosts) or unknown: somebody uses it, and no
	// agent has it.
	State string `json:"state"`
}

// States of an Address.
const (
	AddressOwned   = "owned"
	AddressShared  = "shared"
	AddressUnknown = "unknown"
)
