package model

import "time"

// What things are grouped by.
const (
	GroupByExecutable = "executable" // the program's path
	GroupByUnit       = "unit"       // the systemd service
	GroupByImage      = "image"      // the container's
	GroupByNamespace  = "namespace"  // of the Kubernetes pod
	GroupByProject    = "project"    // of Docker Compose
	GroupByLabel      = "label"      // that the host was given with the token by which it joined
	GroupByTenant     = "tenant"     // that the host is of
	GroupBySubnet     = "subnet"     // of the host's interfaces
	GroupBySwitch     = "switch"     // that the host is wired to
	GroupByRing       = "ring"       // that the host is on
)

// GroupKeys are all of them.
func GroupKeys() []string {
	return []string{
		GroupByExecutable, GroupByUnit, GroupByImage, GroupByNamespace, GroupByProject, GroupByLabel, GroupByTenant,
		GroupBySubnet, GroupBySwitch, GroupByRing,
	}
}

// States of a FunctionalGroup, the worst first.
const (
	GroupDown     = "down"     // all its hosts have died or were shut down
	GroupEnded    = "ended"    // it had services, and none listens
	GroupDegraded = "degraded" // a host is down, or fewer services listen than at the earlier moment
	GroupFlapping = "flapping" // a member comes and goes all the time
	GroupUp       = "up"
	GroupUnknown  = "unknown" // no agent knows any of it
)

// FunctionalGroup is what things with something in common are and did together.
type FunctionalGroup struct {
	By string `json:"by"`
	// Name is what they have in common; "" for things that have nothing of the kind.
	Name      string `json:"name"`
	State     string `json:"state"`
	Hosts     int    `json:"hosts"`
	HostsDown int    `json:"hosts_down"`
	Services  int    `json:"services"` // that listen
	Ended     int    `json:"ended"`    // services that are remembered and listen no more
	Programs  int    `json:"programs"` // on each host
	// Births and Deaths are of members, between Since and the moment asked for.
	Births uint64    `json:"births"`
	Deaths uint64    `json:"deaths"`
	Since  time.Time `json:"since"`
	// Oldest and Newest are when those of the living members began that did so first and
	// last.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	// Clients are programs and machines outside of the group that use its services.
	Clients int          `json:"clients"`
	Served  GroupFigures `json:"served"`  // connections to its services
	Dialled GroupFigures `json:"dialled"` // connections of its programs
	// DependsOn are the groups whose services its programs use, UsedBy the groups whose
	// programs use its services, the most connections first; the group itself may be among
	// them. Of many groups at once each has the first few, and UsedBy is left out.
	DependsOn      []GroupLink `json:"depends_on"`
	DependsOnCount int         `json:"depends_on_count"` // how many there are
	UsedBy         []GroupLink `json:"used_by,omitempty"`
	UsedByCount    int         `json:"used_by_count"`
	// Members are there when one group is asked for; MemberCount is how many there are.
	Members     []GroupMember `json:"members,omitempty"`
	MemberCount int           `json:"member_count"`
}

// GroupFigures are sums over dependencies, since each was seen first.
type GroupFigures struct {
	Connections   uint64 `json:"connections"`
	Failed        uint64 `json:"failed"`
	Open          uint64 `json:"open"`
	BytesSent     uint64 `json:"bytes_sent"`     // by the clients
	BytesReceived uint64 `json:"bytes_received"` // by the clients
}

// GroupLink is what one group does with another.
type GroupLink struct {
	Group string `json:"group"` // the other's name
	GroupFigures
}

// GroupMember is a host, a service, a program or a machine without an agent.
type GroupMember struct {
	ID     string       `json:"id"`
	Kind   string       `json:"kind"`
	Host   string       `json:"host,omitempty"`
	State  string       `json:"state,omitempty"`
	Since  time.Time    `json:"since,omitzero"` // when it began, as far as that is known
	Births uint64       `json:"births"`         // since the group's Since, as are Deaths
	Deaths uint64       `json:"deaths"`
	Served GroupFigures `json:"served"`
	// Dialled are the connections that it made.
	Dialled GroupFigures `json:"dialled"`
}
