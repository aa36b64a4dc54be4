package model

import "time"

// MapFill is how full one bounded kernel map or user-space table is.
type MapFill struct {
	Name  string `json:"name"`
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
	Bytes uint64 `json:"bytes,omitempty"` // memory charged to it, 0 when unknown
}

// CaptureStats are the figures of the agent's capture since it started. Every
// event that the kernel reported stands in exactly one of them.
type CaptureStats struct {
	// Events by kind that reached user space: "listen", "unlisten", "edge" and others.
	Events map[string]uint64 `json:"events"`
	// Drops by reason: what the kernel side could not keep or pass on; see
	// docs/metrics.md for the reasons and what each one loses.
	Drops map[string]uint64 `json:"drops"`
	// Transitions is how many TCP state changes and UDP flows the kernel side folded,
	// by kind: "connect", "established", "accepted", "failed", "closed", "listen",
	// "unlisten", "udp_sent_first" and others.
	Transitions map[string]uint64 `json:"transitions"`
	Resyncs     uint64            `json:"resyncs"`   // full reads of the maps after a drop
	Evictions   uint64            `json:"evictions"` // idle edges removed from the kernel map
	OpenReads   OpenReads         `json:"open_reads"`
	// RTTs and Lifetimes sum up those of Counters over all dependencies, by this machine's
	// end of the connections: "client", "server", or "unknown" of some that are older than
	// the agent.
	RTTs      map[string]Histogram `json:"rtt_histograms,omitempty"`
	Lifetimes map[string]Histogram `json:"lifetime_histograms,omitempty"`
	Lives     LifeStats            `json:"lives"`
	Maps      []MapFill            `json:"maps"`
	Listeners int                  `json:"listeners"` // listening now
	Edges     int                  `json:"edges"`
	// Hooks tells which hook serves which fact on this kernel.
	Hooks []Hook `json:"hooks"`
}

// LifeStats are the figures of programs' lives, of which each is a cgroup.
type LifeStats struct {
	Programs int `json:"programs"` // that are remembered
	// Released is how many edges were removed from the kernel's map because the cgroup of
	// their program was gone.
	Released uint64 `json:"released"`
	// Forgotten is how many programs and dependencies without a life were forgotten to make
	// room for others. They are counted anew when they come again.
	Forgotten uint64 `json:"forgotten"`
}

// OpenReads is how often a question made the agent read what open connections have
// moved, and how long that took in all.
type OpenReads struct {
	Reads  uint64        `json:"reads"`
	Spared uint64        `json:"spared"` // questions so soon after a read that its figures were shown
	Took   time.Duration `json:"nanoseconds"`
}

// Hook is one fact that Cassini wants from the kernel, and the rung that serves it.
type Hook struct {
	Fact   string `json:"fact"`             // "tcp connect, listen, close"
	Hook   string `json:"hook"`             // "tp_btf/inet_sock_set_state"; "" when nothing serves it
	First  bool   `json:"first"`            // the first choice serves it
	Lost   string `json:"lost,omitempty"`   // what the rung in use does not tell
	Reason string `json:"reason,omitempty"` // why a better rung is not in use
}

// OutboxStats are the figures of the documents on their way to the manager.
type OutboxStats struct {
	Queued    int               `json:"queued"` // waiting now, in memory and on disk
	Limit     int               `json:"limit"`
	Spooled   int               `json:"spooled"` // of Queued, on disk
	Accepted  uint64            `json:"accepted"`
	Retries   uint64            `json:"retries"`
	PutOff    uint64            `json:"put_off"` // of Retries, since the manager was busy
	Dropped   map[string]uint64 `json:"dropped"` // by reason: "full", "refused", "renamed", "damaged"
	Connected bool              `json:"connected"`
	// Problem is why the last delivery failed; "" where it did not.
	Problem string `json:"problem,omitempty"`
	// Renumbered is how often documents got new numbers, since the manager had those that
	// this outbox was about to give.
	Renumbered uint64 `json:"renumbered"`
	// Compared are the figures of comparing with what the manager has.
	Compared ComparedStats `json:"compared"`
}

// ComparedStats are an agent's figures of comparing its documents with those that the manager
// has.
type ComparedStats struct {
	Compared   uint64 `json:"compared"`  // comparisons that the manager made
	Differed   uint64 `json:"differed"`  // of Compared, that found a difference
	Missing    uint64 `json:"missing"`   // documents that were sent again, since the manager had none
	Changed    uint64 `json:"changed"`   // documents that were sent again, since it had another
	Withdrawn  uint64 `json:"withdrawn"` // documents that it had and the agent has not
	Unkept     uint64 `json:"unkept"`    // documents that could not be sent again: beyond KeptLimit
	Known      int    `json:"known"`     // things of which the agent knows what it said last
	KnownLimit int    `json:"known_limit"`
	Kept       int    `json:"kept_bytes"` // bytes of documents in memory, to be sent again
	KeptLimit  int    `json:"kept_bytes_limit"`
	// Comparable is false before the manager was asked what it remembers, and where there
	// are more things than KnownLimit.
	Comparable bool `json:"comparable"`
}

// SentStats are an agent's figures of the way to the manager.
type SentStats struct {
	Protocol  int    `json:"protocol"`   // that is spoken; 0 before the manager was reached
	Bytes     uint64 `json:"bytes"`      // of deliveries, as documents
	WireBytes uint64 `json:"wire_bytes"` // of the same, as they were sent
}

// StoreStats are the figures of the manager's document log.
type StoreStats struct {
	Documents uint64    `json:"documents"` // entries in the log
	Names     uint64    `json:"names"`     // distinct document names
	FileBytes uint64    `json:"file_bytes"`
	FreeBytes uint64    `json:"free_bytes"` // of FileBytes, reusable
	Appended  uint64    `json:"appended"`   // entries written since start
	Thinned   uint64    `json:"thinned"`    // progress entries that replaced the one before
	Expired   uint64    `json:"expired"`    // entries removed by retention
	Oldest    time.Time `json:"oldest"`
	Newest    time.Time `json:"newest"`
	// Compacted and CompactFailed are how often the file was compacted while it was in use, or
	// could not be; Reclaimed is what was given back by that, in bytes.
	Compacted     uint64 `json:"compacted"`
	CompactFailed uint64 `json:"compact_failed"`
	Reclaimed     uint64 `json:"reclaimed"`
	// ClockHeld counts batches that came while the log was not behind the
	// manager's clock, because it stood or went back: their keys run ahead.
	ClockHeld uint64 `json:"clock_held"`
	// Reread counts entries for which the graph had to read the log: there was no room for
	// them in memory until it got to them.
	Reread uint64 `json:"reread"`
}

// GraphStats are the figures of the manager's graph.
type GraphStats struct {
	Nodes     map[string]int    `json:"nodes"`     // by kind
	Edges     map[string]int    `json:"edges"`     // by kind
	Services  map[string]int    `json:"services"`  // by state
	Documents uint64            `json:"documents"` // applied since start
	Rejected  map[string]uint64 `json:"rejected"`  // documents not understood, by package ("other" for unknown ones)
	Forgotten uint64            `json:"forgotten"` // ended services and idle dependencies dropped at the bound
	// Namesakes is how many hosts are called otherwise than their host name, which another
	// machine had first.
	Namesakes int `json:"namesakes,omitempty"`
	// HostsForgotten are hosts that people forgot, or the manager, since nothing was heard of
	// them; Withdrawn are documents whose things nobody needs any more.
	HostsForgotten uint64 `json:"hosts_forgotten"`
	Withdrawn      uint64 `json:"withdrawn"`
	// Undirected is how many dependencies have an unknown direction and are
	// therefore no edges.
	Undirected int `json:"undirected"`
	// Written are the texts of dependencies that are kept for the next question, those that
	// have changed since among them until they are forgotten.
	Written  Kept   `json:"written"`
	Watchers int    `json:"watchers"` // open event streams
	Lagged   uint64 `json:"lagged"`   // event streams cut off because their reader was slow
}

// Kept are the figures of a cache.
type Kept struct {
	Bytes     int    `json:"bytes"`
	Limit     int    `json:"limit"`
	Forgotten uint64 `json:"forgotten"` // entries, to make room for others
}

// FrameStats are the figures of what an agent hears on the wire.
type FrameStats struct {
	Links     int               `json:"links"`     // listened on, with a carrier
	Neighbors int               `json:"neighbors"` // heard now
	Frames    map[string]uint64 `json:"frames"`    // by protocol
	Malformed map[string]uint64 `json:"malformed"` // of Frames, those that could not be decoded
	Refused   uint64            `json:"refused"`   // frames of neighbors beyond the limit of an interface
	Limited   uint64            `json:"limited"`   // frames that the kernel side held back: a flood
	Lost      uint64            `json:"lost"`      // frames that found no room in a socket's buffer
}

// NetStats are the figures of what an agent hears by rtnetlink.
type NetStats struct {
	Namespaces int    `json:"namespaces"`
	Interfaces int    `json:"interfaces"`
	Messages   uint64 `json:"messages"`
	Malformed  uint64 `json:"malformed"` // messages that could not be decoded
	Resyncs    uint64 `json:"resyncs"`   // readings anew after messages were lost
	Routes     int    `json:"routes"`    // routes and rules that are kept
	// UnkeptRoutes counts messages of routes beyond the limit of a namespace, and of
	// routing daemons' other than default ones.
	UnkeptRoutes uint64 `json:"unkept_routes"`
}

// AnnounceStats are the figures of what an agent hears machines tell everyone: ARP,
// neighbour discovery, DHCP.
type AnnounceStats struct {
	Namespaces int               `json:"namespaces"` // where it listens
	Heard      map[string]uint64 `json:"heard"`      // by protocol: "arp", "nd", "dhcp"
	Malformed  map[string]uint64 `json:"malformed"`  // of Heard, those that could not be decoded
	Known      uint64            `json:"known"`      // held back in the kernel: nothing new
	Limited    uint64            `json:"limited"`    // held back there: a flood
}

// StrangerStats are the figures of what an agent remembers of other machines.
type StrangerStats struct {
	Addresses int `json:"addresses"`
	Clients   int `json:"clients"` // of DHCP
	Servers   int `json:"servers"` // likewise
	// Forwarding is how many machines bridges learned behind their ports.
	Forwarding int    `json:"forwarding"`
	Refused    uint64 `json:"refused"` // beyond the limit of an interface, or of all
}

// NetworkStats are the figures of all that an agent hears of the network.
type NetworkStats struct {
	Net       NetStats      `json:"net"`
	Frames    FrameStats    `json:"frames"`
	Announced AnnounceStats `json:"announced"`
	Strangers StrangerStats `json:"strangers"`
	// Translations is of addresses that this host translates.
	Translations TranslationStats `json:"translations"`
	// Interfaces and Neighbors are what there is now, sorted by key.
	Interfaces []Interface `json:"-"`
	Neighbors  []Neighbor  `json:"-"`
}

// GuestStats are figures of connections and requests of those who have not shown who they are.
type GuestStats struct {
	Open       int    `json:"open"`
	Closed     uint64 `json:"closed"`      // to make room for others
	TurnedAway uint64 `json:"turned_away"` // since there was no room
	BrokenOff  uint64 `json:"broken_off"`  // requests, since there were too many under way
}

// RequestStat is how often a route of the API answered with a status since the start,
// and how long that took in sum. A stream takes as long as it is open.
type RequestStat struct {
	Route   string  `json:"route"` // "GET /api/v1/graph"
	Status  int     `json:"status"`
	Count   uint64  `json:"count"`
	Seconds float64 `json:"seconds"`
}
