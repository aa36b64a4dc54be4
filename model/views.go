package model

import (
	"net/netip"
	"time"
)

// Service is one service as the API and the CLI show it: one program, protocol
// and port on one host, with all its addresses.
type Service struct {
	ID    string     `json:"id"`
	Host  string     `json:"host"`
	Proto string     `json:"proto"`
	Addr  netip.Addr `json:"addr"` // the widest of Addrs: a wildcard before any other, IPv4 before IPv6
	Port  uint16     `json:"port"`
	UnixName
	Tap
	Accepts
	// Addrs are all addresses that it listens on (or, when ended, last did).
	Addrs []netip.Addr `json:"addrs"`
	Process
	Netns       uint32     `json:"netns"`
	NetnsName   string     `json:"netns_name,omitempty"`
	State       string     `json:"state"`
	Since       time.Time  `json:"since"`
	SinceApprox bool       `json:"since_approx,omitempty"`
	Ended       *time.Time `json:"ended,omitempty"`
	// Where is where its process lives; nil when that is not known.
	Where *Where `json:"where,omitempty"`
}

// Party is one end of a dependency.
type Party struct {
	ID   string     `json:"id"`
	Host string     `json:"host"` // "" when no agent knows it
	Exe  string     `json:"exe"`  // "" when unknown
	PID  int        `json:"pid"`  // of the latest process seen; 0 when unknown or the kernel's
	Addr netip.Addr `json:"addr"`
	// Where is where that process lives; nil when that is not known.
	Where *Where `json:"where,omitempty"`
}

// DependencyView is who is client of whom, as the API and the CLI show it:
// all connections between one client program and one service, both ends joined.
// Counters are the client's where its host has an agent, else the server's;
// across runs of the agent they add up.
type DependencyView struct {
	ID     string `json:"id"`
	Client Party  `json:"client"`
	Server Party  `json:"server"`
	Proto  string `json:"proto"`
	Port   uint16 `json:"port"`
	UnixName
	// Interface is that on whose link the other end is, seen from the end that tells, where its address
	// is link-local and has this as its zone.
	Interface string `json:"interface,omitempty"`
	Counters
	Quantiles
	// AskedAs are the names that the client's host was told the server's address for, the
	// newest first: what it asked a name server, not who answers there.
	AskedAs []string `json:"asked_as,omitempty"`
	// Dialled are the addresses that the client connects to where they are not the server's
	// (load balancers, NAT); TranslatedBy the hosts that bring its connections to the
	// server. Of a client's connections that end at several servers, Counters are parts.
	Dialled      []netip.AddrPort `json:"dialled,omitempty"`
	TranslatedBy []string         `json:"translated_by,omitempty"`
	// SeenBy lists the ends that reported it: "client", "server" or both.
	SeenBy    []string  `json:"seen_by"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// Reached is a dependency by the names of its ends, and how many steps lead to it; without a
// node to begin at there are none.
type Reached struct {
	Client string `json:"client"`
	Server string `json:"server"`
	Depth  int    `json:"depth,omitempty"`
}

// Kinds of events.
const (
	EventServiceStarted = "service.started"
	EventServiceEnded   = "service.ended"
	EventServiceChanged = "service.changed" // other owner, other addresses
	EventDependencyNew  = "dependency.new"
	EventDependencyFail = "dependency.failing" // failures where there were none
	EventHostForgotten  = "host.forgotten"     // nobody expects it any more
	EventHostSeen       = "host.seen"          // an agent reported for the first time
	EventHostChanged    = "host.changed"       // reboot, new agent, new kernel
	EventLinkUp         = "link.up"            // an interface got a carrier
	EventLinkDown       = "link.down"          // lost it, or went
	EventLinkChanged    = "link.changed"       // MTU, speed, duplex, hardware address, gateway
	EventAddressAdded   = "address.added"
	EventAddressRemoved = "address.removed"
	EventWireConnected  = "wire.connected" // a neighbor is heard
	EventWireMoved      = "wire.moved"     // another port than before
	EventWireLost       = "wire.lost"      // fell silent, said goodbye, or the link went
	EventWireChanged    = "wire.changed"   // says something else of itself
	EventStrangerSeen   = "stranger.seen"  // a machine without an agent
	EventAddressMoved   = "address.moved"  // an IP address has another hardware address
	// Two machines claim one IP address.
	EventAddressDuplicate = "address.duplicate"
	EventMACMoved         = "mac.moved"   // a machine is behind another port of a bridge
	EventRouteAdded       = "route.added" // somebody put a route or a rule there
	EventRouteRemoved     = "route.removed"
	EventRouteChanged     = "route.changed"
	EventRouterSeen       = "router.seen" // a machine without an agent announces that it routes
	EventDHCPServer       = "dhcp.server" // a DHCP server that was not heard before
	EventFlapping         = "flapping"    // a service, link or host that comes and goes all the time
	EventIncidentOpened   = "incident.opened"
	EventIncidentClosed   = "incident.closed" // over, corrected, or part of a larger one
)

// EventKinds lists all kinds of events.
func EventKinds() []string {
	return []string{
		EventServiceStarted, EventServiceEnded, EventServiceChanged, EventDependencyNew, EventDependencyFail,
		EventHostSeen, EventHostChanged, EventHostForgotten, EventLinkUp, EventLinkDown, EventLinkChanged, EventAddressAdded,
		EventAddressRemoved, EventWireConnected, EventWireMoved, EventWireLost, EventWireChanged,
		EventStrangerSeen, EventAddressMoved, EventAddressDuplicate, EventMACMoved, EventRouteAdded, EventRouteRemoved, EventRouteChanged, EventRouterSeen, EventDHCPServer,
		EventFlapping, EventIncidentOpened, EventIncidentClosed,
	}
}

// Event is one change of the graph that a person may want to hear of.
type Event struct {
	// ID is the log key of the document that brought it, with "#N" behind the
	// second and later event of one document. IDs sort by time.
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Kind    string    `json:"kind"`
	Host    string    `json:"host"`
	Node    string    `json:"node"`    // the node or edge that changed
	Summary string    `json:"summary"` // one line for people
}
