package model

import (
	"net/netip"
	"strconv"
	"time"
)

// Route is the body of a PackageRoutes document: one route of a host.
type Route struct {
	Netns       string       `json:"netns,omitempty"`
	Table       string       `json:"table"` // main, default, or its number
	Destination netip.Prefix `json:"destination"`
	Metric      uint32       `json:"metric,omitempty"`
	TOS         uint8        `json:"tos,omitempty"`
	Type        string       `json:"type"`     // unicast, blackhole, unreachable, prohibit, throw, nat
	Protocol    string       `json:"protocol"` // who put it there: kernel, boot, static, dhcp, ra, bgp, ...
	Scope       string       `json:"scope"`    // global, site, link, host, nowhere
	Source      netip.Addr   `json:"source,omitzero"`
	Hops        []Hop        `json:"hops,omitempty"`
	// Since is when it came; absent when it was there before the agent.
	Since time.Time `json:"since,omitzero"`
}

// Hop is one way that a route takes.
type Hop struct {
	Via       netip.Addr `json:"via,omitzero"` // absent when the destination is on the link
	Interface string     `json:"interface,omitempty"`
}

// Key is the document key: "main/10.0.0.0/8/100", with "/tosN" where it has one and
// "@NETNS" at the end outside the host's own network namespace.
func (r Route) Key() string {
	key := r.Table + "/" + r.Destination.String() + "/" + strconv.FormatUint(uint64(r.Metric), 10)
	if r.TOS != 0 {
		key += "/tos" + strconv.Itoa(int(r.TOS))
	}
	return atNetns(key, r.Netns)
}

// Rule is the body of a PackageRules document: which routing table some packets use.
// The three that every namespace has are left out.
type Rule struct {
	Netns    string    `json:"netns,omitempty"`
	Family   string    `json:"family"` // inet, inet6
	Priority uint32    `json:"priority"`
	Text     string    `json:"text"` // as ip(8) writes it: "from 10.0.0.0/8 lookup 100"
	Since    time.Time `json:"since,omitzero"`
}

// Key is the document key: "inet/100/from 10.0.0.0/8 lookup 100", with "@NETNS" at the
// end outside the host's own network namespace.
func (r Rule) Key() string {
	return atNetns(r.Family+"/"+strconv.FormatUint(uint64(r.Priority), 10)+"/"+r.Text, r.Netns)
}

// HostRoute is a route and the host that has it.
type HostRoute struct {
	Host string `json:"host"`
	Route
}

// HostRule is a rule and the host that has it.
type HostRule struct {
	Host string `json:"host"`
	Rule
}
