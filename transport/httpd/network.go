package httpd

import "net/netip"

// Network is what an address HOST:PORT counts as where those that come from one place are
// counted: itself, or the network of 64 bits that a machine has by IPv6. What is no address
// counts as one.
func Network(from string) netip.Prefix {
	ap, err := netip.ParseAddrPort(from)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := ap.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // fails for a number of bits that an address has not
	return p
}
