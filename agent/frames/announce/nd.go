package announce

import (
	"fmt"
	"net/netip"

	"github.com/google/gopacket/layers"
)

// icmpHeader is type, code and checksum, in bytes.
const icmpHeader = 4

// ND reads a message of IPv6 neighbour discovery (RFC 4861) from the ICMPv6 header
// on: a solicitation or the advertisement of a neighbour or router. source is the
// sender's address. Errors wrap ErrMalformed.
func ND(message []byte, source netip.Addr) (Address, error) {
	if len(message) < icmpHeader {
		return Address{}, fmt.Errorf("%w: ICMPv6 of %d bytes", ErrMalformed, len(message))
	}
	body := message[icmpHeader:]
	switch message[0] {
	case layers.ICMPv6TypeNeighborSolicitation:
		var m layers.ICMPv6NeighborSolicitation
		if err := decode("neighbour solicitation", &m, body); err != nil {
			return Address{}, err
		}
		return holds(option(m.Options, layers.ICMPv6OptSourceAddress), source, false)
	case layers.ICMPv6TypeNeighborAdvertisement:
		var m layers.ICMPv6NeighborAdvertisement
		if err := decode("neighbour advertisement", &m, body); err != nil {
			return Address{}, err
		}
		target, _ := netip.AddrFromSlice(m.TargetAddress)
		return holds(option(m.Options, layers.ICMPv6OptTargetAddress), target, m.Router())
	case layers.ICMPv6TypeRouterAdvertisement:
		var m layers.ICMPv6RouterAdvertisement
		if err := decode("router advertisement", &m, body); err != nil {
			return Address{}, err
		}
		return holds(option(m.Options, layers.ICMPv6OptSourceAddress), source, m.RouterLifetime != 0)
	}
	return Address{}, fmt.Errorf("%w: ICMPv6 of type %d", ErrMalformed, message[0])
}

// option is the value of the first option of a kind; nil when there is none.
func option(options layers.ICMPv6Options, kind layers.ICMPv6Opt) []byte {
	for _, o := range options {
		if o.Type == kind {
			return o.Data
		}
	}
	return nil
}
