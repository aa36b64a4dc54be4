package model

import (
	"net/netip"
	"strconv"
	"time"
)

// States of a listener and of a service.
const (
	StateListening = "listening"
	StateEnded     = "ended"
)

// Listener is the body of a PackageListeners document: one address on which
// something accepts connections, hears datagrams or what is meant for others. Several sockets on one address (SO_REUSEPORT)
// are one listener; those that are bound to different interfaces are not.
type Listener struct {
	Proto string     `json:"proto"` // "tcp", "udp", "sctp", ProtoUnix, ProtoPacket, ProtoRaw
	Addr  netip.Addr `json:"addr"`  // v4-mapped folded to IPv4; unspecified for every address
	Port  uint16     `json:"port"`
	UnixName
	Tap
	Accepts
	// DualStack says that an IPv6 wildcard also accepts IPv4.
	DualStack bool `json:"dual_stack,omitempty"`
	Process
	// Netns is the inode of the network namespace; NetnsName its name: "" for
	// the host's own, a name under /run/netns, else "net:[INODE]".
	Netns     uint32 `json:"netns"`
	NetnsName string `json:"netns_name,omitempty"`

	State string    `json:"state"`
	Since time.Time `json:"since"` // began to listen
	// SinceApprox says that the listener is older than the agent: Since is then
	// the start of its process, the earliest that it can have been.
	SinceApprox bool       `json:"since_approx,omitempty"`
	Ended       *time.Time `json:"ended,omitempty"`
	Sockets     int        `json:"sockets"` // listening sockets behind this address
}

// On is the interface that the sockets of a port are bound to; "" for every one.
func (l Listener) On() string {
	if IsTap(l.Proto) || len(l.Interfaces) != 1 {
		return ""
	}
	return l.Interfaces[0]
}

// Key is the document key: "tcp/0.0.0.0/8080", followed by "@NETNS" outside the
// host's own network namespace, with "%INTERFACE" behind the address where it is bound to one; "unix:/run/x.sock" for Unix-domain sockets;
// "packet:all/tcpdump" for packet and raw sockets, which several programs can have alike.
func (l Listener) Key() string {
	if IsTap(l.Proto) {
		return atNetns(l.Proto+":"+l.Hears+"/"+l.Program(), l.NetnsName)
	}
	if l.Proto == ProtoUnix {
		return atNetns(l.Proto+":"+l.Path, l.Space())
	}
	addr := l.Addr.String()
	if on := l.On(); on != "" {
		addr += "%" + on
	}
	return atNetns(l.Proto+"/"+addr+"/"+strconv.Itoa(int(l.Port)), l.NetnsName)
}

// ServiceID is the identifier of the service that the listener belongs to.
func (l Listener) ServiceID(host string) string {
	if IsTap(l.Proto) {
		return TapServiceID(host, l.Program(), l.Proto, l.Hears, l.NetnsName)
	}
	if l.Proto == ProtoUnix {
		return UnixServiceID(host, l.Program(), l.Path, l.Space())
	}
	return ServiceID(host, l.Program(), l.Proto, l.Port, l.NetnsName)
}

// Space is where the address means something: the name of the network namespace, or of
// the mount namespace for a path; "" for the host's own.
func (l Listener) Space() string { return l.space(l.NetnsName) }

func atNetns(s, netns string) string {
	if netns == "" {
		return s
	}
	return s + "@" + netns
}
