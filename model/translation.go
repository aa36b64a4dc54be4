package model

import (
	"fmt"
	"net/netip"
	"time"
)

// Translation is the body of a PackageTranslations document: what becomes of connections
// from one address to another on their way through this host, which translates addresses
// (NAT). It is told by the host that does it, be it the client's own or a router.
type Translation struct {
	Proto   string         `json:"proto"`
	Client  netip.Addr     `json:"client_addr"` // as it begins
	Dialled netip.AddrPort `json:"dialled"`     // by the client
	Reached netip.AddrPort `json:"reached"`     // who answers
	SeenAs  netip.Addr     `json:"seen_as"`     // the client's address as the one who answers sees it

	NetnsName string `json:"netns_name,omitempty"`
	// Flows is how many began since CountingSince, answered or not; Found how many were
	// there when the agent began to look, or looked again after it had missed some.
	Flows uint64 `json:"flows"`
	Found uint64 `json:"found,omitempty"`

	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// CountingSince is as in Dependency.
	CountingSince time.Time `json:"counting_since"`
}

// Key is the document key: "10.0.0.9->10.0.0.1:80=>10.0.2.1->10.1.0.7:8080/tcp", with
// "@NETNS" at the end outside the host's own network namespace.
func (t Translation) Key() string {
	return atNetns(fmt.Sprintf("%s->%s=>%s->%s/%s", t.Client, t.Dialled, t.SeenAs, t.Reached, t.Proto), t.NetnsName)
}

// TranslationStats are the figures of what an agent hears of translated addresses.
type TranslationStats struct {
	Namespaces int    `json:"namespaces"` // where it listens
	Known      int    `json:"known"`      // kept now
	Limit      int    `json:"limit"`
	Flows      uint64 `json:"flows"`     // that were told of
	Malformed  uint64 `json:"malformed"` // messages that could not be read
	Overruns   uint64 `json:"overruns"`  // times that some were lost
	Forgotten  uint64 `json:"forgotten"` // the longest idle, at the limit
}
