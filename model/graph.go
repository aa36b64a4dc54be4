package model

// Kinds of nodes.
const (
	KindHost        = "host"
	KindService     = "service"
	KindEndpoint    = "endpoint" // an address and port on which a service listens
	KindProcess     = "process"  // a program that is a client or runs services
	KindUnknownHost = "unknown-host"
	KindInterface   = "interface"
	KindIP          = "ip"
	KindSubnet      = "subnet"
	KindMAC         = "mac"
	KindSwitch      = "switch"
	KindSwitchPort  = "switchport"
	KindVLAN        = "vlan" // by its number, wherever in the estate
	KindRing        = "ring" // of hosts that watch each other
)

// Kinds of edges, from -> to.
const (
	EdgeRuns      = "runs"       // host -> service
	EdgeListensOn = "listens_on" // service -> endpoint
	EdgeRunsAs    = "runs_as"    // service -> process
	EdgeHas       = "has"        // host -> process, interface -> ip or mac, switch -> switchport
	EdgeOwns      = "owns"       // host -> interface
	EdgeIn        = "in"         // ip -> subnet, switchport or interface -> vlan, host -> ring
	EdgeWiredTo   = "wired_to"   // interface -> switchport, interface or unknown-host
	// interface -> interface or unknown-host: a bridge learned it behind this port
	EdgeForwardsTo = "forwards_to"
	EdgeSees       = "sees"       // interface -> unknown-host: a machine on its link
	EdgeOn         = "on"         // interface -> its bridge, its bond, or what it stands on
	EdgeDependsOn  = "depends_on" // process or unknown-host -> service
	EdgeNext       = "next"       // host -> host: they watch each other in a ring
)

// Attrs are the attributes of a node or an edge: JSON values by name.
type Attrs map[string]any

// Node is one thing in the graph. ID is stable across restarts and readable.
type Node struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Attrs Attrs  `json:"attrs"`
}

// Edge is one directed relation. ID is "FROM -KIND-> TO".
type Edge struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	From  string `json:"from"`
	To    string `json:"to"`
	Attrs Attrs  `json:"attrs"`
}

// EdgeID is the identifier of the edge of a kind between two nodes.
func EdgeID(kind, from, to string) string { return from + " -" + kind + "-> " + to }

// Graph is a set of nodes and the edges between them, each sorted by ID.
type Graph struct {
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`
}
