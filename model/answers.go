package model

import "time"

// Effects on a Victim.
const (
	EffectDown     = "down"     // it falls itself: it is on what falls
	EffectAffected = "affected" // all that it needs of a kind falls
	EffectDegraded = "degraded" // some of what it needs falls, and others of the kind stand
)

// Impact is what falls when a node dies.
type Impact struct {
	Of string `json:"of"`
	// Hosts and Services count victims of these kinds that are down or affected.
	Hosts    int      `json:"hosts"`
	Services int      `json:"services"`
	Victims  []Victim `json:"victims"` // nearest first
}

// Victim is a node that falls with another.
type Victim struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Host    string `json:"host,omitempty"`
	Effect  string `json:"effect"`
	Depth   int    `json:"depth"`   // steps from the cause
	Because string `json:"because"` // the node by which it is hit
}

// SinglePoint is a node that takes others along when it alone dies.
type SinglePoint struct {
	ID       string `json:"id"`
	Kind     string `json:"kind"`
	Hosts    int    `json:"hosts"` // that fall with it
	Services int    `json:"services"`
}

// Step is one edge on a path.
type Step struct {
	From string `json:"from"`
	Kind string `json:"kind"` // of the edge
	To   string `json:"to"`
	// Against says that the edge leads from To to From.
	Against bool `json:"against,omitempty"`
}

// Diff is what came, went and changed between two moments.
type Diff struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Came    []Change  `json:"came"`
	Went    []Change  `json:"went"`
	Changed []Change  `json:"changed"`
	// Flapping are at the later moment coming and going all the time; they are in none of
	// the other lists.
	Flapping []Flapping `json:"flapping"`
}

// Flapping is a service, a link or a host that comes and goes all the time.
type Flapping struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"`
	Host    string `json:"host,omitempty"`
	State   string `json:"state"`   // as it stands
	Changes int    `json:"changes"` // within the window before now
	// WindowSeconds is how long that window is.
	WindowSeconds int       `json:"window_seconds"`
	Since         time.Time `json:"since"` // when it began to be called so
	Last          time.Time `json:"last"`  // change
}

// Change is a node or a dependency that differs.
type Change struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Host string `json:"host,omitempty"`
	// Function is what is left of the name without hosts, where that is less: sshd:22. In
	// an answer to diff alone.
	Function string `json:"function,omitempty"`
	// Attrs are the attributes that differ, with what they were and are.
	Attrs map[string][2]any `json:"attrs,omitempty"`
}

// TargetGroup is what Prometheus' HTTP service discovery reads: addresses to scrape and
// labels for relabelling.
type TargetGroup struct {
	Targets []string          `json:"targets"` // host:port
	Labels  map[string]string `json:"labels"`
}

// Overview is an estate on one screen.
type Overview struct {
	Since time.Time `json:"since"` // what is new and sick is told from then on
	// There is how many there are of each kind; of services those that listen.
	There map[string]int `json:"there"`
	Sick  []Ailment      `json:"sick"`
	Came  []Group        `json:"came"`
	Went  []Group        `json:"went"`
	// SinglePoints are the first few of what must not die.
	SinglePoints []SinglePoint `json:"single_points"`
}

// Ailment is something that is not as it should be.
type Ailment struct {
	Node string `json:"node"`
	What string `json:"what"` // for people
}

// Group is how many of a kind, with the first few.
type Group struct {
	Kind  string   `json:"kind"`
	Count int      `json:"count"`
	First []string `json:"first"`
	// Functions are the first few by what they are, for people, those that are on the most
	// hosts first: "nginx:443 on 12 hosts", "web-1/redis:6379", and how many others there are.
	Functions []string `json:"functions"`
}
