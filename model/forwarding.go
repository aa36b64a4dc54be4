package model

import (
	"strconv"
	"time"
)

// Forwarding is the body of a PackageForwarding document: behind which port of a
// host's bridge a hardware address is. It stays when the bridge forgets it, until the
// port goes.
type Forwarding struct {
	Bridge    string    `json:"bridge"`
	Netns     string    `json:"netns,omitempty"`
	MAC       string    `json:"mac"`
	VLAN      int       `json:"vlan,omitempty"` // where the bridge tells VLANs apart
	Port      string    `json:"port"`
	FirstSeen time.Time `json:"first_seen"`
	Changed   time.Time `json:"changed"`          // when it came to this port
	Before    string    `json:"before,omitempty"` // the port where it was
}

// Key is the document key: "br0/52:54:00:12:34:56", with "/VLAN" behind it where there
// is one and "@NETNS" at the end outside the host's own network namespace.
func (f Forwarding) Key() string {
	key := f.Bridge + "/" + f.MAC
	if f.VLAN != 0 {
		key += "/" + strconv.Itoa(f.VLAN)
	}
	return atNetns(key, f.Netns)
}
