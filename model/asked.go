package model

import (
	"net/netip"
	"time"
)

// Asked is the body of a PackageNames document: by which names this host was told an
// address that its programs are clients of. It is what somebody asked a name server,
// not who the address belongs to: whoever answers can put any address under any name.
type Asked struct {
	Addr  netip.Addr  `json:"addr"`
	Netns string      `json:"netns,omitempty"`
	Names []AskedName `json:"names"` // the newest first, up to four
}

// AskedName is one name that an address was asked for by.
type AskedName struct {
	Name string `json:"name"` // as the client asked, without the dot at its end
	// Canonical is the name that the address stood under, where that is another (CNAME).
	Canonical string    `json:"canonical,omitempty"`
	TTL       uint32    `json:"ttl_seconds"` // when it was first told; the least on the way
	Server    string    `json:"server"`      // who answered
	First     time.Time `json:"first_seen"`
}

// Key is the document key: "93.184.216.34", with "@NETNS" at the end outside the host's
// own network namespace.
func (a Asked) Key() string { return AskedKey(a.Addr, a.Netns) }

// AskedKey is the key of the document about an address.
func AskedKey(addr netip.Addr, netns string) string { return atNetns(addr.String(), netns) }

// DNSStats are the figures of the names that an agent hears.
type DNSStats struct {
	Resolvers int `json:"resolvers"` // name servers that are listened to
	// Refused counts name servers beyond the limit of a namespace, or of all.
	Refused   uint64 `json:"refused"`
	Answers   uint64 `json:"answers"`   // that were read
	Malformed uint64 `json:"malformed"` // of Answers, those that could not be decoded
	Lost      uint64 `json:"lost"`      // that found no room in a socket's buffer: more than are read
	Heard     int    `json:"heard"`     // addresses whose names are remembered
	Named     int    `json:"named"`     // addresses with a name that programs here are clients of
	// Forgotten are addresses that made room for others: "heard", "dialled".
	Forgotten map[string]uint64 `json:"forgotten"`
}
