package model

import (
	"net/netip"
	"time"
)

// Seen is the body of a PackageSeen document: a hardware address that this host
// met under an IP address, by the kernel's table of neighbours or by what machines
// tell everyone on the wire. It stays when the kernel forgets it.
type Seen struct {
	Interface string     `json:"interface"` // of this host
	Netns     string     `json:"netns,omitempty"`
	Addr      netip.Addr `json:"addr"`
	MAC       string     `json:"mac"`
	By        string     `json:"by"`               // how it was first met: SeenByKernel, SeenByARP, SeenByND
	Router    bool       `json:"router,omitempty"` // says that it routes (IPv6)
	FirstSeen time.Time  `json:"first_seen"`
	Changed   time.Time  `json:"changed"` // when the address got this MAC
	// Before is the MAC that the address had before, if it had one.
	Before string `json:"before,omitempty"`
	// Unconfirmed says that the kernel had this from before the agent looked, and that nothing was
	// heard from there since: it may be elsewhere now.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
	// Conflict is when the address last went back to the MAC that it had shortly
	// before: two machines claim it in turn.
	Conflict time.Time `json:"conflict,omitzero"`
}

// Ways to meet another machine.
const (
	SeenByKernel = "kernel" // the kernel's neighbour table: it talked with this host
	SeenByARP    = "arp"    // RFC 826, broadcast
	SeenByND     = "nd"     // RFC 4861, multicast
	SeenByDHCP   = "dhcp"   // RFC 2131, broadcast
)

// Key is the document key: "eth0/10.0.0.9", with "@NETNS" at the end outside the
// host's own network namespace.
func (s Seen) Key() string { return atNetns(s.Interface+"/"+s.Addr.String(), s.Netns) }

// DHCP is the body of a PackageDHCP document: what a machine on the wire said when
// it asked everyone for an address.
type DHCP struct {
	Interface string `json:"interface"` // of this host
	Netns     string `json:"netns,omitempty"`
	MAC       string `json:"mac"` // of the client
	HostName  string `json:"host_name,omitempty"`
	// VendorClass is option 60, e.g. "MSFT 5.0" or "PXEClient:Arch:00007:UNDI:003016".
	VendorClass string `json:"vendor_class,omitempty"`
	// PXE says that firmware asked, to boot from the network.
	PXE bool `json:"pxe,omitempty"`
	// Addr is what it asked for by number or was given.
	Addr netip.Addr `json:"addr,omitzero"`
	// Server is the DHCP server that it chose or that answered everyone.
	Server    netip.Addr `json:"server,omitzero"`
	FirstSeen time.Time  `json:"first_seen"`
	Changed   time.Time  `json:"changed"` // when it last said something else
}

// Key is the document key: "eth0/aa:bb:cc:dd:ee:ff", with "@NETNS" at the end
// outside the host's own network namespace.
func (d DHCP) Key() string { return atNetns(d.Interface+"/"+d.MAC, d.Netns) }

// DHCPServer is the body of a PackageDHCPServers document: a server that answers, or
// that a client chose, on the link of an interface.
type DHCPServer struct {
	Interface string     `json:"interface"` // of this host
	Netns     string     `json:"netns,omitempty"`
	Addr      netip.Addr `json:"addr"`
	FirstSeen time.Time  `json:"first_seen"`
}

// Key is the document key: "eth0/10.0.0.1", with "@NETNS" at the end outside the
// host's own network namespace.
func (d DHCPServer) Key() string { return atNetns(d.Interface+"/"+d.Addr.String(), d.Netns) }

// Stranger is a machine that hosts see and where no agent is.
type Stranger struct {
	ID        string   `json:"id"`
	MAC       string   `json:"mac"`
	Vendor    string   `json:"vendor,omitempty"` // by the IEEE registry
	Name      string   `json:"name,omitempty"`   // by DHCP
	System    string   `json:"system,omitempty"` // DHCP's vendor class
	PXE       bool     `json:"pxe,omitempty"`
	Addresses []string `json:"addresses"`
	// Router says that it announces that it routes, or is a host's default gateway.
	Router     bool      `json:"router,omitempty"`
	DHCPServer bool      `json:"dhcp_server,omitempty"`
	SeenBy     []string  `json:"seen_by"`         // interfaces, "web-17/eth0"
	Ports      []string  `json:"ports,omitempty"` // bridge ports behind which it is, "kvm-3/vnet7"
	FirstSeen  time.Time `json:"first_seen"`
}
