package model

import (
	"net/netip"
	"time"
)

// Seen is the body of a PackageSeen document: a hardware address that this host
// talks to under an IP address, by the kernel's table of ARP and neighbour
// discovery. It stays when the kernel forgets it.
type Seen struct {
	Interface string     `json:"interface"` // of this host
	Netns     string     `json:"netns,omitempty"`
	Addr      netip.Addr `json:"addr"`
	MAC       string     `json:"mac"`
	Router    bool       `json:"router,omitempty"` // says that it routes (IPv6)
	FirstSeen time.Time  `json:"first_seen"`
	Changed   time.Time  `json:"changed"` // when the address got this MAC
	// Before is the MAC that the address had before, if it had one.
	Before string `json:"before,omitempty"`
}

// Key is the document key: "eth0/10.0.0.9", with "@NETNS" at the end outside the
// host's own network namespace.
func (s Seen) Key() string { return atNetns(s.Interface+"/"+s.Addr.String(), s.Netns) }

// Stranger is a machine that hosts see and where no agent is.
type Stranger struct {
	ID        string    `json:"id"`
	MAC       string    `json:"mac"`
	Addresses []string  `json:"addresses"`
	Router    bool      `json:"router,omitempty"`
	SeenBy    []string  `json:"seen_by"` // interfaces, "web-17/eth0"
	FirstSeen time.Time `json:"first_seen"`
}
