package model

import "time"

// Port is one end of a cable on a host and what is heard at the other end.
type Port struct {
	Host      string `json:"host"`
	Interface string `json:"interface"`
	Netns     string `json:"netns,omitempty"`
	ID        string `json:"id"` // of the interface's node
	// PeerID is the node at the other end: a switchport, another host's interface,
	// or an unknown-host.
	PeerID    string     `json:"peer_id,omitempty"`
	State     string     `json:"state"` // of the neighbor; NeighborUnheard when there is none
	Since     time.Time  `json:"since,omitzero"`
	Ended     time.Time  `json:"ended,omitzero"`
	Carrier   bool       `json:"carrier"`
	Speed     uint32     `json:"speed,omitempty"` // Mbit/s
	Duplex    string     `json:"duplex,omitempty"`
	MTU       int        `json:"mtu,omitempty"`
	Neighbor  *Discovery `json:"neighbor,omitempty"`
	Protocols []string   `json:"protocols,omitempty"` // by which it is heard
	// Differences of the two ends, for people.
	Differences []string `json:"differences,omitempty"`
}

// Switch is a device that hosts are wired to, as its frames tell.
type Switch struct {
	ID           string   `json:"id"`
	Name         string   `json:"name,omitempty"`
	Chassis      PortID   `json:"chassis"`
	Description  string   `json:"description,omitempty"`
	Platform     string   `json:"platform,omitempty"`
	Management   []string `json:"management,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	Ports        []Port   `json:"ports"` // of hosts, by the switch's port
}

// Found is one answer to a search.
type Found struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Host string `json:"host,omitempty"`
	What string `json:"what"` // what matched
	// Where says in words where that is: the host, its interface, its switch port.
	Where string `json:"where,omitempty"`
}
