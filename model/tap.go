package model

import (
	"net/netip"
	"strconv"
)

// Protocols of sockets that hear what is meant for others, or for no port.
const (
	// ProtoPacket are packet sockets (packet(7)): tcpdump, lldpd, DHCP clients.
	ProtoPacket = "packet"
	// ProtoRaw are raw IP sockets (raw(7)): ping, VRRP, OSPF.
	ProtoRaw = "raw"
)

// What a Tap can hear beside protocols.
const (
	HearsAll     = "all"     // every frame
	HearsNothing = "nothing" // it can only send
)

// MaxTapInterfaces bounds Tap.Interfaces and Tap.Bound.
const MaxTapInterfaces = 64

// Tap is what the packet or raw sockets of one program hear. All of it but Interfaces is empty for
// other protocols.
type Tap struct {
	// Hears is HearsAll, HearsNothing, or the EtherType or IP protocol by its name ("lldp",
	// "vrrp"), else by its number ("0x9999", "200").
	Hears string `json:"hears,omitempty"`
	// Number is that EtherType or IP protocol; 0 for none.
	Number uint16 `json:"protocol_number,omitempty"`
	// Interfaces are those that the sockets are bound to, MaxTapInterfaces at most; empty for
	// every one of the network namespace. A Listener with a port has one at most.
	Interfaces []string `json:"interfaces,omitempty"`
	// Bound are the addresses that raw sockets are bound to, MaxTapInterfaces at most; empty
	// for every one.
	Bound []netip.Addr `json:"bound_to,omitempty"`
	// Promiscuous says that the program has made an interface hear what is not addressed to
	// this host.
	Promiscuous bool `json:"promiscuous,omitempty"`
}

// IsTap says whether a protocol is of sockets that have no port and no clients.
func IsTap(proto string) bool { return proto == ProtoPacket || proto == ProtoRaw }

// TapServiceID is "service:web-17/tcpdump/packet:all", with "@NETNS" behind it outside the
// host's network namespace.
func TapServiceID(host, program, proto, hears, netns string) string {
	return atNetns(KindService+":"+host+"/"+program+"/"+proto+":"+hears, netns)
}

// EtherTypeName names what a packet socket of an EtherType hears (linux/if_ether.h).
func EtherTypeName(number uint16) string {
	switch number {
	case 0:
		return HearsNothing
	case 0x0003:
		return HearsAll
	case 0x0004:
		return "802.2"
	case 0x0800:
		return "ip"
	case 0x0806:
		return "arp"
	case 0x8100:
		return "vlan"
	case 0x86dd:
		return "ip6"
	case 0x8809:
		return "slow" // LACP
	case 0x8863:
		return "pppoe-discovery"
	case 0x8864:
		return "pppoe"
	case 0x888e:
		return "eapol"
	case 0x88cc:
		return "lldp"
	case 0x88e1:
		return "homeplug"
	case 0x88f7:
		return "ptp"
	case 0x8906:
		return "fcoe"
	case 0x8914:
		return "fip"
	}
	const digits = "0123456789abcdef"
	return "0x" + string([]byte{digits[number>>12], digits[number>>8&15], digits[number>>4&15], digits[number&15]})
}

// IPProtocolName names what a raw socket of an IP protocol hears (IANA's protocol numbers).
func IPProtocolName(number uint16) string {
	switch number {
	case 1:
		return "icmp"
	case 2:
		return "igmp"
	case 4:
		return "ipip"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 41:
		return "ipv6"
	case 46:
		return "rsvp"
	case 47:
		return "gre"
	case 50:
		return "esp"
	case 51:
		return "ah"
	case 58:
		return "icmp6"
	case 88:
		return "eigrp"
	case 89:
		return "ospf"
	case 103:
		return "pim"
	case 112:
		return "vrrp"
	case 115:
		return "l2tp"
	case 132:
		return "sctp"
	case 255: // IPPROTO_RAW
		return HearsNothing
	}
	return strconv.Itoa(int(number))
}
