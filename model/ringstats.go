package model

import (
	"fmt"
	"net/netip"
	"time"
)

// RingStats are the figures of a member of rings.
type RingStats struct {
	Watch       string            `json:"watch"`         // "kernel" or "user": who waits for heartbeats
	Why         string            `json:"why,omitempty"` // it is not the kernel
	Incarnation Incarnation       `json:"incarnation"`
	Addr        netip.AddrPort    `json:"addr"`
	Pinging     bool              `json:"pinging"`    // ICMP echo requests can be sent
	Reflecting  bool              `json:"reflecting"` // the kernel answers for the agent
	Reflected   uint64            `json:"reflected"`  // how often it did
	Limited     uint64            `json:"limited"`    // and how often not, since there were too many
	Rings       []RingPlace       `json:"rings"`
	Links       []RingLink        `json:"links"`
	Totals      RingTotals        `json:"totals"`
	Sent        uint64            `json:"sent"`     // datagrams
	Failed      uint64            `json:"failed"`   // datagrams that could not be sent
	Received    map[string]uint64 `json:"received"` // datagrams, by what the watch did with them
	Control     map[string]uint64 `json:"control"`  // control datagrams, by what became of them
}

// RingPlace is a place in a ring.
type RingPlace struct {
	Ring    RingID  `json:"ring"`
	Epoch   Epoch   `json:"epoch"`
	Profile Profile `json:"profile"`
}

// RingLink is a neighbor as it is heard.
type RingLink struct {
	Ring       RingID        `json:"ring"`
	From       string        `json:"from"`
	Heartbeats uint64        `json:"heartbeats"`
	Expiries   uint64        `json:"expiries"`
	Late       uint64        `json:"late"` // windows given anew since this host stood still
	Silent     time.Duration `json:"silent"`
	// Spacing counts times between arrivals: below 1 ms, 2 ms, 4 ms, ..., the rest.
	Spacing []uint64 `json:"spacing"`
	// Lateness counts by how much they were longer than the interval: below 64 us,
	// 128 us, ..., the rest.
	Lateness []uint64 `json:"lateness"`
	// RoundTrip counts how long a datagram there and one back took, about once a minute
	// and to the next member alone: below 64 us, 128 us, ..., the rest.
	RoundTrip []uint64 `json:"round_trip"`
}

// RingTotals count what a member did.
type RingTotals struct {
	Suspicions uint64                 `json:"suspicions"`
	Refuted    uint64                 `json:"refuted"`
	Doubted    uint64                 `json:"doubted"`
	Stale      uint64                 `json:"stale"` // instructions of an epoch that has passed
	Bridges    uint64                 `json:"bridges"`
	Notices    uint64                 `json:"notices"`
	Verdicts   map[VerdictKind]uint64 `json:"verdicts"`
}

// VerdictDocument makes a verdict a document of the host that brings it: its reporter, or
// one that keeps it for the reporter.
func VerdictDocument(v Verdict, host string) (Document, error) {
	key := fmt.Sprintf("%d.%d", v.ID.Incarnation, v.ID.Sequence)
	if host != v.ID.Reporter {
		key = v.ID.Reporter + "." + key
	}
	return NewDocument(Name{Host: host, Package: PackageVerdicts, Key: key}, v.At, v)
}

// RingKeeperStats are the manager's figures of all rings.
type RingKeeperStats struct {
	Rings        []RingHealth           `json:"rings"`
	Hosts        []HostLiveness         `json:"hosts"`
	Pending      int                    `json:"pending"`   // places that were not acknowledged yet
	Repairs      uint64                 `json:"repairs"`   // changes of rings
	Rotations    uint64                 `json:"rotations"` // of a ring's keys
	Untold       int                    `json:"untold"`    // documents of rings that are not in the log yet
	Instructions uint64                 `json:"instructions"`
	Stale        uint64                 `json:"stale"` // verdicts on lives that are over
	Inquiries    uint64                 `json:"inquiries"`
	Verdicts     map[VerdictKind]uint64 `json:"verdicts"`
	Sent         uint64                 `json:"sent"`
	Failed       uint64                 `json:"failed"`
	Received     map[string]uint64      `json:"received"` // control datagrams, by what became of them
	Incidents    []Incident             `json:"-"`
}
