package model

import (
	"net/netip"
	"time"
)

// Protocols by which a neighbor tells who it is.
const (
	LLDP = "lldp" // IEEE 802.1AB
	CDP  = "cdp"  // Cisco Discovery Protocol
	FDP  = "fdp"  // Foundry Discovery Protocol: CDP's messages in frames of its own
)

// States of a Neighbor.
const (
	NeighborPresent  = "present"  // heard within its own TTL
	NeighborSilent   = "silent"   // not heard for its TTL
	NeighborShutdown = "shutdown" // it said goodbye: a TTL of 0
	NeighborMoved    = "moved"    // another one is heard in its place
	NeighborUnheard  = "unheard"  // the interface went, or the agent stopped listening there
)

// Neighbor is the body of a PackageNeighbors document: what the device at the
// other end of a cable says of itself.
type Neighbor struct {
	Interface string `json:"interface"` // of this host
	Netns     string `json:"netns,omitempty"`
	Discovery
	State     string    `json:"state"`
	FirstSeen time.Time `json:"first_seen"`
	Changed   time.Time `json:"changed"`        // when it last said something else
	Ended     time.Time `json:"ended,omitzero"` // when State left present
}

// Key is the document key: "eth0/lldp/CHASSIS/PORT", with "@NETNS" at the end
// outside the host's own network namespace.
func (n Neighbor) Key() string {
	return atNetns(n.Interface+"/"+n.Protocol+"/"+n.Chassis.ID+"/"+n.Port.ID, n.Netns)
}

// Discovery is what one LLDP or CDP frame says. Text is valid UTF-8 without
// control characters, however it was sent.
type Discovery struct {
	Protocol    string `json:"protocol"`
	Version     int    `json:"version,omitempty"` // of CDP: 1 or 2
	SourceMAC   string `json:"source_mac,omitempty"`
	FrameVLAN   uint16 `json:"frame_vlan,omitempty"` // tag that the frame bore
	TTL         uint16 `json:"ttl"`                  // seconds
	Chassis     PortID `json:"chassis"`              // CDP: the device id
	Port        PortID `json:"port"`
	PortDescr   string `json:"port_description,omitempty"`
	SystemName  string `json:"system_name,omitempty"`
	SystemDescr string `json:"system_description,omitempty"` // CDP: the software version
	Platform    string `json:"platform,omitempty"`           // CDP

	Capabilities []string `json:"capabilities,omitempty"` // of the system, e.g. bridge, router
	Enabled      []string `json:"enabled,omitempty"`      // of these, which are on; CDP does not tell

	Management []ManagementAddress `json:"management,omitempty"`

	// Addresses are those of the sending interface, as Management writes them. CDP.
	Addresses []string `json:"addresses,omitempty"`

	PortVLAN uint16 `json:"port_vlan,omitempty"` // 802.1 PVID; CDP: the native VLAN
	// ManagementVLAN is where the device is managed (802.1).
	ManagementVLAN uint16         `json:"management_vlan,omitempty"`
	VLANs          []VLAN         `json:"vlans,omitempty"`
	ProtoVLANs     []ProtocolVLAN `json:"protocol_vlans,omitempty"`
	ProtoIDs       []string       `json:"protocol_identities,omitempty"` // 802.1 protocol identity, hex
	MTU            uint32         `json:"mtu,omitempty"`                 // 802.3 maximum frame size; CDP: MTU
	Duplex         string         `json:"duplex,omitempty"`              // CDP: half or full
	Aggregation    *Aggregation   `json:"aggregation,omitempty"`
	MACPHY         *MACPHY        `json:"mac_phy,omitempty"`
	Power          *Power         `json:"power,omitempty"`
	MED            *MED           `json:"med,omitempty"`
	VTPDomain      string         `json:"vtp_domain,omitempty"`    // CDP
	VoiceVLAN      uint16         `json:"voice_vlan,omitempty"`    // CDP appliance VLAN
	SystemObject   string         `json:"system_object,omitempty"` // CDP sysObjectID, hex
	Location       string         `json:"location,omitempty"`      // CDP
	Cluster        string         `json:"cluster,omitempty"`       // CDP protocol-hello/cluster data, hex

	Unknown []RawTLV `json:"unknown,omitempty"` // what this version does not know
	// Problems are parts of the frame that were wrong and left out.
	Problems []string `json:"problems,omitempty"`
}

// PortID is a chassis' or a port's identifier with the kind that says how to read
// it: "mac", "ifname", "ifalias", "component", "port", "ip", "circuit", "local";
// for CDP "cdp"; for a reserved kind its number.
type PortID struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// ManagementAddress is where the device is managed.
type ManagementAddress struct {
	Address   string `json:"address"` // an IP address, a MAC, or hex of another family
	Interface uint32 `json:"interface,omitempty"`
	// InterfaceKind is "ifindex", "port" or "" for unknown.
	InterfaceKind string `json:"interface_kind,omitempty"`
	OID           string `json:"oid,omitempty"` // dotted
}

// VLAN is one that the port carries, by IEEE 802.1Q VLAN name TLV.
type VLAN struct {
	ID   uint16 `json:"id"`
	Name string `json:"name,omitempty"`
}

// ProtocolVLAN is a port-and-protocol VLAN (IEEE 802.1, subtype 2).
type ProtocolVLAN struct {
	ID        uint16 `json:"id"`
	Supported bool   `json:"supported"`
	Enabled   bool   `json:"enabled"`
}

// Aggregation is the link aggregation of the port (IEEE 802.1 or 802.3).
type Aggregation struct {
	Capable bool   `json:"capable"`
	Enabled bool   `json:"enabled"`
	Port    uint32 `json:"port,omitempty"` // aggregated port identifier
}

// MACPHY is the MAC/PHY configuration and status (IEEE 802.3, subtype 1).
type MACPHY struct {
	Supported  bool     `json:"autonegotiation_supported"`
	Enabled    bool     `json:"autonegotiation_enabled"`
	Advertised []string `json:"advertised,omitempty"` // e.g. 100base-tx-full
	MAUType    uint16   `json:"mau_type"`             // RFC 4836 dot3MauType
	MAU        string   `json:"mau,omitempty"`        // its name, when known
}

// Power is power over Ethernet (IEEE 802.3, subtype 2; CDP power TLVs).
type Power struct {
	Class         string   `json:"class,omitempty"`       // "pse" or "pd": of the sender
	Supported     bool     `json:"supported"`             // MDI power
	Enabled       bool     `json:"enabled"`               // MDI power
	PairControl   bool     `json:"pair_control"`          //
	Pairs         string   `json:"pairs,omitempty"`       // signal or spare
	PowerClass    uint8    `json:"power_class,omitempty"` // 0 to 4; 0 also if not told
	Source        string   `json:"source,omitempty"`
	Priority      string   `json:"priority,omitempty"`
	RequestedMW   uint32   `json:"requested_milliwatt,omitempty"`
	AllocatedMW   uint32   `json:"allocated_milliwatt,omitempty"`
	Type          uint8    `json:"type,omitempty"`                  // 802.3at: 1 or 2
	BT            *PowerBT `json:"bt,omitempty"`                    // what 802.3bt added
	ConsumptionMW uint32   `json:"consumption_milliwatt,omitempty"` // CDP
	AvailableMW   []uint32 `json:"available_milliwatt,omitempty"`   // CDP
}

// PowerBT is what IEEE 802.3bt added to power via MDI (79.3.2), numbers as the
// standard has them.
type PowerBT struct {
	RequestedModeAMW uint32 `json:"requested_mode_a_milliwatt,omitempty"`
	RequestedModeBMW uint32 `json:"requested_mode_b_milliwatt,omitempty"`
	AllocatedAltAMW  uint32 `json:"allocated_alternative_a_milliwatt,omitempty"`
	AllocatedAltBMW  uint32 `json:"allocated_alternative_b_milliwatt,omitempty"`
	Powering         uint8  `json:"pse_powering_status"`
	Powered          uint8  `json:"pd_powered_status"`
	Pairs            uint8  `json:"pse_power_pairs"`
	ClassModeA       uint8  `json:"class_mode_a"`
	ClassModeB       uint8  `json:"class_mode_b"`
	Class            uint8  `json:"class"`
	Type             uint8  `json:"type"` // 0 and 1: PSE of type 3 and 4; 2 to 4: PD
	Overload         bool   `json:"overload"`
	MaximumMW        uint32 `json:"maximum_milliwatt,omitempty"`
	Autoclass        uint8  `json:"autoclass"` // bits: request, completed, supported
	PowerDown        bool   `json:"power_down"`
	PowerDownSeconds uint32 `json:"power_down_seconds,omitempty"`
}

// MED is what media endpoints say (ANSI/TIA-1057).
type MED struct {
	Capabilities []string       `json:"capabilities,omitempty"`
	DeviceClass  string         `json:"device_class,omitempty"` // endpoint-1..3, network
	Policies     []MEDPolicy    `json:"policies,omitempty"`
	Coordinates  string         `json:"coordinates,omitempty"` // RFC 6225 LCI, hex
	Civic        *CivicLocation `json:"civic,omitempty"`       // RFC 4776
	ELIN         string         `json:"elin,omitempty"`        // emergency call number
	Power        *MEDPower      `json:"power,omitempty"`
	Inventory    *MEDInventory  `json:"inventory,omitempty"`
}

// MEDPolicy is a network policy for one application, e.g. voice.
type MEDPolicy struct {
	Application string `json:"application"`
	Unknown     bool   `json:"unknown,omitempty"`
	Tagged      bool   `json:"tagged"`
	VLAN        uint16 `json:"vlan"`
	Priority    uint8  `json:"priority"`
	DSCP        uint8  `json:"dscp"`
}

// CivicLocation is a postal address (RFC 4776): parts by their type number.
type CivicLocation struct {
	What    string      `json:"what"` // whose: dhcp-server, network-element, client
	Country string      `json:"country"`
	Parts   []CivicPart `json:"parts,omitempty"`
}

// CivicPart is one part of an address; Kind is RFC 4776's name, or the number.
type CivicPart struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// MEDPower is extended power via MDI.
type MEDPower struct {
	Device   string `json:"device"` // pse or pd
	Source   string `json:"source"`
	Priority string `json:"priority"`
	MW       uint32 `json:"milliwatt"`
}

// MEDInventory is the hardware inventory.
type MEDInventory struct {
	Hardware     string `json:"hardware,omitempty"`
	Firmware     string `json:"firmware,omitempty"`
	Software     string `json:"software,omitempty"`
	Serial       string `json:"serial,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	Asset        string `json:"asset,omitempty"`
}

// RawTLV is a type-length-value that is kept as it came.
type RawTLV struct {
	Type    uint16 `json:"type"`
	OUI     string `json:"oui,omitempty"` // organisationally specific: "00-80-c2"
	Subtype uint8  `json:"subtype,omitempty"`
	Value   string `json:"value"` // hex, without OUI and subtype
}

// ManagementIP is the first management address that is an IP address, or else
// that of the sending interface.
func (d Discovery) ManagementIP() (netip.Addr, bool) {
	for _, m := range d.Management {
		if addr, err := netip.ParseAddr(m.Address); err == nil {
			return addr, true
		}
	}
	for _, a := range d.Addresses {
		if addr, err := netip.ParseAddr(a); err == nil {
			return addr, true
		}
	}
	return netip.Addr{}, false
}
