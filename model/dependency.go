package model

import (
	"fmt"
	"net/netip"
	"time"
)

// Direction tells from which end a host saw the connections of a dependency.
type Direction string

// Directions.
const (
	Out     Direction = "out"     // this host's process is the client
	In      Direction = "in"      // this host's process is the server
	Unknown Direction = "unknown" // existed before the agent, and nothing tells
)

// Counters are the figures of one edge since CountingSince, and all that adopted
// connections moved. They only grow, except RTTMicros and what is named Open. A
// connection of UDP is a flow between one socket and one address and port
// (docs/decisions/0015-udp.md); its times are not counted, and its bytes and datagrams, as bytes over
// Unix-domain sockets, where the agent is told to.
type Counters struct {
	Connections   uint64 `json:"connections"`           // established and heard
	Adopted       uint64 `json:"adopted,omitempty"`     // were open when the agent started
	Attempts      uint64 `json:"attempts,omitempty"`    // connects begun (Out)
	Failed        uint64 `json:"failed"`                // attempts that did not get through, all reasons
	Refused       uint64 `json:"refused,omitempty"`     // ... because of ECONNREFUSED
	TimedOut      uint64 `json:"timed_out,omitempty"`   // ... because of ETIMEDOUT
	Unreachable   uint64 `json:"unreachable,omitempty"` // ... because of EHOSTUNREACH, ENETUNREACH and the like
	Aborted       uint64 `json:"aborted,omitempty"`     // ... because the client gave up first
	Open          uint64 `json:"open"`                  // established now
	BytesSent     uint64 `json:"bytes_sent"`            // payload, acknowledged by the peer; of SCTP, put on its way
	BytesReceived uint64 `json:"bytes_received"`        // payload
	Retransmits   uint64 `json:"retransmits,omitempty"` // segments; of SCTP, chunks
	// Of UDP, where bytes are counted.
	DatagramsSent     uint64 `json:"datagrams_sent,omitempty"`
	DatagramsReceived uint64 `json:"datagrams_received,omitempty"`
	RTTMicros         uint64 `json:"rtt_microseconds"` // mean over connections of the smoothed round-trip time, at close or now
	Closed            uint64 `json:"closed,omitempty"` // established connections that closed

	// Of connections of TCP and SCTP that closed, in microseconds: the smoothed round-trip times at
	// their end, of those on which one was measured, and how long they lived, of those whose
	// beginning was seen.
	RTTs      Histogram `json:"rtt_histogram,omitzero"`
	Lifetimes Histogram `json:"lifetime_histogram,omitzero"`
	// Likewise of those that are open: as it is now, and how long they have lived so far.
	OpenRTTs Histogram `json:"open_rtt_histogram,omitzero"`
	OpenAges Histogram `json:"open_age_histogram,omitzero"`

	OpenTraffic    Traffic `json:"open_traffic,omitzero"`    // of the bytes and segments, those of connections that are open
	AdoptedTraffic Traffic `json:"adopted_traffic,omitzero"` // likewise, what adopted connections had moved before the agent started
}

// TellBytes reports whether the bytes say something: of UDP and of Unix-domain sockets they are 0
// where the agent was not told to count them.
func (c *Counters) TellBytes(proto string) bool {
	return proto != "udp" && proto != ProtoUnix || c.BytesSent+c.BytesReceived+c.DatagramsSent+c.DatagramsReceived > 0
}

// AllRTTs are the round-trip times of closed connections and open ones.
func (c *Counters) AllRTTs() Histogram { return c.RTTs.Plus(c.OpenRTTs) }

// AllLifetimes are how long closed connections lived and open ones have so far.
func (c *Counters) AllLifetimes() Histogram { return c.Lifetimes.Plus(c.OpenAges) }

// Quantiles are read from histograms of Counters, open connections included: exact to a
// factor of two. 0 where nothing was counted.
type Quantiles struct {
	RTTP50Micros      uint64 `json:"rtt_p50_microseconds,omitempty"`
	RTTP95Micros      uint64 `json:"rtt_p95_microseconds,omitempty"`
	RTTP99Micros      uint64 `json:"rtt_p99_microseconds,omitempty"`
	LifetimeP50Micros uint64 `json:"lifetime_p50_microseconds,omitempty"`
	LifetimeP95Micros uint64 `json:"lifetime_p95_microseconds,omitempty"`
	LifetimeP99Micros uint64 `json:"lifetime_p99_microseconds,omitempty"`
}

// QuantilesOf reads them.
func QuantilesOf(c *Counters) Quantiles {
	if c.RTTs == "" && c.OpenRTTs == "" && c.Lifetimes == "" && c.OpenAges == "" {
		return Quantiles{}
	}
	rtts, lifetimes := c.AllRTTs(), c.AllLifetimes()
	return Quantiles{
		RTTP50Micros: rtts.Quantile(.5), RTTP95Micros: rtts.Quantile(.95), RTTP99Micros: rtts.Quantile(.99),
		LifetimeP50Micros: lifetimes.Quantile(.5), LifetimeP95Micros: lifetimes.Quantile(.95), LifetimeP99Micros: lifetimes.Quantile(.99),
	}
}

// Traffic is a part of what connections moved.
type Traffic struct {
	BytesSent     uint64 `json:"bytes_sent"`
	BytesReceived uint64 `json:"bytes_received"`
	Retransmits   uint64 `json:"retransmits,omitempty"`
}

// Dependency is the body of a PackageDependencies document: the connections
// between one program on this host and one address, seen from this host's end.
// The service's end is (Server, Port); the port of the client is not kept.
type Dependency struct {
	Direction Direction  `json:"direction"`
	Proto     string     `json:"proto"`
	Process              // this host's end
	Client    netip.Addr `json:"client_addr"`
	Server    netip.Addr `json:"server_addr"`
	Port      uint16     `json:"port"` // of the service; with Unknown the port of this host's end
	Netns     uint32     `json:"netns"`
	NetnsName string     `json:"netns_name,omitempty"` // or NetnsOfLives
	// Interface is that on whose link the peer is whose address means nothing elsewhere (link-local,
	// of IPv6), by its name when it was seen first, or "if7"; "" of others. It is in Key.
	Interface string `json:"interface,omitempty"`
	// UnixName is the service's end of Unix-domain sockets, which have no addresses.
	UnixName
	// Dialled is how the client named it, where that is not Path: by a link, or from
	// another directory or mount namespace.
	Dialled string `json:"dialled,omitempty"`
	Counters
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	// CountingSince begins the run of the agent that Counters belong to. A new
	// value means that they started again from zero.
	CountingSince time.Time `json:"counting_since"`
}

// Key is the document key:
// "out/usr/bin/curl/127.0.0.1->127.0.0.1:8080/tcp", with "@UNIT" behind the
// executable as in ProcessID, "%INTERFACE" behind the address of the peer where it is on one, and
// "@NETNS" at the end outside the host's own network namespace; "out/usr/bin/psql->unix:/run/x.sock" for Unix-domain sockets.
func (d Dependency) Key() string {
	if d.Proto == ProtoUnix {
		return atNetns(fmt.Sprintf("%s%s->%s:%s", d.Direction, processPath(d.Process), d.Proto, d.Path), d.Space())
	}
	client, server := Zoned(d.Direction, d.Client, d.Server, d.Interface)
	return atNetns(fmt.Sprintf("%s%s/%s->%s/%s", d.Direction, processPath(d.Process), client, netip.AddrPortFrom(server, d.Port), d.Proto), d.NetnsName)
}

// Zoned are the addresses of both ends, the peer's with its interface as people write it (RFC 4007):
// "fe80::1%eth0".
func Zoned(seen Direction, client, server netip.Addr, on string) (netip.Addr, netip.Addr) {
	switch {
	case on == "":
	case seen == Out:
		server = server.WithZone(on)
	default:
		client = client.WithZone(on)
	}
	return client, server
}

// Space is where the service's address means something, as for a Listener.
func (d Dependency) Space() string { return d.space(d.NetnsName) }
