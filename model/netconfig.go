package model

import (
	"net/netip"
	"time"
)

// Interface is the body of a PackageNetConfig document: one network interface of a
// host as it stands.
type Interface struct {
	Name    string `json:"name"`
	Index   int    `json:"index"`
	Netns   string `json:"netns,omitempty"`
	Address string `json:"address,omitempty"` // hardware address: aa:bb:cc:dd:ee:ff
	// PermanentAddress is burnt in, where the driver tells it and it differs.
	PermanentAddress string   `json:"permanent_address,omitempty"`
	AltNames         []string `json:"alt_names,omitempty"`
	Kind             string   `json:"kind"` // device, bridge, bond, vlan, veth, macvlan, ... (rtnetlink's)
	Alias            string   `json:"alias,omitempty"`
	MTU              int      `json:"mtu"`
	Up               bool     `json:"up"`        // set up by the administrator
	OperState        string   `json:"operstate"` // RFC 2863: up, down, dormant, lowerlayerdown, ...
	Carrier          int      `json:"carrier"`   // 1 or 0
	// CarrierChanges counts how often the carrier came or went (a flap counts two).
	CarrierChanges uint32 `json:"carrier_changes"`
	Promiscuous    bool   `json:"promiscuous,omitempty"`

	Master string  `json:"master,omitempty"` // the bridge or bond that it belongs to
	Parent string  `json:"parent,omitempty"` // what a VLAN or macvlan stands on; the peer of a veth here
	VLAN   int     `json:"vlan,omitempty"`   // id of a VLAN interface
	Bond   *Bond   `json:"bond,omitempty"`
	Tunnel *Tunnel `json:"tunnel,omitempty"`

	Speed           uint32     `json:"speed,omitempty"`  // Mbit/s; 0: not known
	Duplex          string     `json:"duplex,omitempty"` // full, half
	Autonegotiation bool       `json:"autonegotiation,omitempty"`
	LinkModes       *LinkModes `json:"link_modes,omitempty"`
	Port            string     `json:"port,omitempty"` // kind of plug: twisted pair, fibre, ...
	Driver          string     `json:"driver,omitempty"`
	Firmware        string     `json:"firmware,omitempty"`
	Bus             string     `json:"bus,omitempty"`         // e.g. 0000:00:1f.6
	WakeOnLAN       string     `json:"wake_on_lan,omitempty"` // letters of ethtool(8), e.g. g
	Ring            *RingSizes `json:"ring,omitempty"`
	Pause           *Pause     `json:"pause,omitempty"`

	DefaultGateways []netip.Addr        `json:"default_gateways,omitempty"`
	Addresses       map[string]IPConfig `json:"ipaddrs,omitempty"` // by prefix, "10.10.10.5/24"

	State string    `json:"state"`          // InterfacePresent or InterfaceGone
	Ended time.Time `json:"ended,omitzero"` // when it went
}

// States of an Interface.
const (
	InterfacePresent = "present"
	InterfaceGone    = "gone"
)

// Key is the document key: the name, with "@NETNS" behind it outside the host's
// own network namespace.
func (i Interface) Key() string { return atNetns(i.Name, i.Netns) }

// HostInterface is an interface and the host that has it.
type HostInterface struct {
	Host string `json:"host"`
	ID   string `json:"id"` // of its node
	Interface
}

// IPConfig is an address of an interface.
type IPConfig struct {
	Broadcast string `json:"brd,omitempty"`
	Scope     string `json:"scope"` // global, site, link, host
	Label     string `json:"name,omitempty"`
	Peer      string `json:"peer,omitempty"`
	Dynamic   bool   `json:"dynamic,omitempty"` // has a lifetime: DHCP or autoconfiguration
	// Tentative and Failed are IPv6 duplicate address detection.
	Tentative bool `json:"tentative,omitempty"`
	Failed    bool `json:"dad_failed,omitempty"`
}

// Bond is how a bond is set and which slave carries.
type Bond struct {
	Mode   string `json:"mode"`
	Active string `json:"active,omitempty"`
}

// Tunnel is where a tunnel goes.
type Tunnel struct {
	Local  netip.Addr `json:"local,omitzero"`
	Remote netip.Addr `json:"remote,omitzero"` // of VXLAN also a group
	ID     uint32     `json:"id,omitempty"`    // VNI, or key
}

// LinkModes are kinds of links, e.g. 1000baseT/Full, with the other things that two
// ends agree on, such as Pause and FEC.
type LinkModes struct {
	Supported  []string `json:"supported,omitempty"`
	Advertised []string `json:"advertised,omitempty"`
	Peer       []string `json:"peer,omitempty"` // what the other end advertises
}

// RingSizes are a device's queues, in descriptors.
type RingSizes struct {
	RX    uint32 `json:"rx"`
	RXMax uint32 `json:"rx_max"`
	TX    uint32 `json:"tx"`
	TXMax uint32 `json:"tx_max"`
}

// Pause is Ethernet flow control.
type Pause struct {
	Autonegotiation bool `json:"autonegotiation"`
	RX              bool `json:"rx"`
	TX              bool `json:"tx"`
}
