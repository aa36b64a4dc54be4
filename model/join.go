package model

// Join is what an agent tells the manager to be watched: POST /api/v1/rings/join.
type Join struct {
	RingMember
	// Chassis holds several hosts, such as blades: they fail together, and are not made
	// neighbors if that can be helped.
	Chassis string `json:"chassis,omitempty"`
	// Watch is "kernel" or "user": who waits for heartbeats there.
	Watch string `json:"watch,omitempty"`
}

// Joined is the manager's answer.
type Joined struct {
	// Incarnation is what the agent has to be at least: more than it said when the
	// manager knows a later life, whose record the agent has lost.
	Incarnation Incarnation `json:"incarnation"`
	// Manager is where instructions come from, in a ring of only the two, whose name and
	// keys these are.
	Manager     RingMember    `json:"manager"`
	Ring        RingID        `json:"ring"`
	Keys        KeySet        `json:"keys"`
	Assignments []*Assignment `json:"assignments"`
}

// ManagerHost is the manager's name in rings. No host can have it.
const ManagerHost = "(manager)"

// ManagerRing is the ring of one host and the manager.
func ManagerRing(host string) RingID { return RingID("manager/" + host) }

// Ring is a ring as documents and answers tell it: everything but its keys.
type Ring struct {
	ID    RingID `json:"id"`
	Epoch Epoch  `json:"epoch"`
	// Level is 0 for rings of hosts that share a switch or subnet, and one more for
	// rings of their representatives.
	Level   int          `json:"level"`
	Zone    string       `json:"zone,omitempty"`
	Members []RingMember `json:"members"` // in order; the last is followed by the first
	Profile Profile      `json:"profile"`
}
