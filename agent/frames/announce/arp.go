package announce

import (
	"fmt"
	"net/netip"

	"github.com/google/gopacket/layers"
)

// ethernetHeader stands before ARP on the wire, in bytes.
const ethernetHeader = 14

// ARP reads an Ethernet frame that bears ARP for IPv4 (RFC 826): who sends says
// which address it has. Errors wrap ErrMalformed.
func ARP(frame []byte) (Address, error) {
	if len(frame) < ethernetHeader {
		return Address{}, fmt.Errorf("%w: ARP: a frame of %d bytes", ErrMalformed, len(frame))
	}
	var arp layers.ARP
	if err := decode("ARP", &arp, frame[ethernetHeader:]); err != nil {
		return Address{}, err
	}
	sender, ok := netip.AddrFromSlice(arp.SourceProtAddress)
	if !ok || arp.AddrType != layers.LinkTypeEthernet || arp.Protocol != layers.EthernetTypeIPv4 || !sender.Is4() {
		return Address{}, fmt.Errorf("%w: ARP: not of Ethernet and IPv4", ErrMalformed)
	}
	return holds(arp.SourceHwAddress, sender, false)
}
