// Package announce decodes what machines tell everyone on the wire: ARP, IPv6
// neighbour discovery and DHCP. It is pure: bytes in, a value out. The layers are
// gopacket's, behind one function that turns a panic of theirs into an error.
package announce
