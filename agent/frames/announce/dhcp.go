package announce

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/gopacket/layers"
)

// Client is what a DHCP message tells of the machine that it is from or for, and of
// the server.
type Client struct {
	MAC         string
	HostName    string
	VendorClass string
	PXE         bool       // firmware that boots from the network
	Addr        netip.Addr // that it asks for by number, or gets
	// Server is the one that the client chose or that answers.
	Server netip.Addr
	// Answer says that the server sent this and not the client.
	Answer bool
}

const (
	udpHeader = 8 // in bytes
	// maxText bounds a name, in bytes: an option's length is one byte.
	maxText = 255
)

// Options beyond those that gopacket names, and messages' types (RFC 2132, 4578,
// 4702).
const (
	optArchitecture = layers.DHCPOpt(93)
	optFQDN         = layers.DHCPOpt(81)
)

// DHCP reads an IPv4 packet that bears DHCP (RFC 2131). Errors wrap ErrMalformed.
func DHCP(packet []byte) (Client, error) {
	payload, err := datagram(packet)
	if err != nil {
		return Client{}, err
	}
	var m layers.DHCPv4
	if err := decode("DHCP", &m, payload); err != nil {
		return Client{}, err
	}
	mac, err := hardware(m.ClientHWAddr)
	if err != nil {
		return Client{}, err
	}
	c := Client{MAC: mac, Answer: m.Operation == layers.DHCPOpReply}
	kind := layers.DHCPMsgTypeUnspecified
	var requested netip.Addr
	for _, o := range m.Options {
		switch o.Type {
		case layers.DHCPOptMessageType:
			if len(o.Data) == 1 {
				kind = layers.DHCPMsgType(o.Data[0])
			}
		case layers.DHCPOptHostname:
			c.HostName = text(o.Data)
		case optFQDN:
			c.HostName = fqdn(o.Data, c.HostName)
		case layers.DHCPOptClassID:
			c.VendorClass = text(o.Data)
		case optArchitecture:
			c.PXE = true
		case layers.DHCPOptRequestIP:
			requested, _ = netip.AddrFromSlice(o.Data)
		case layers.DHCPOptServerID:
			c.Server, _ = netip.AddrFromSlice(o.Data)
		}
	}
	c.PXE = c.PXE || strings.HasPrefix(c.VendorClass, "PXEClient") || strings.HasPrefix(c.VendorClass, "HTTPClient")
	if c.Answer { // what it names is the server's
		c.HostName, c.VendorClass, c.PXE = "", "", false
	}
	c.Addr = claimed(&m, kind, requested)
	if kind == layers.DHCPMsgTypeUnspecified {
		return Client{}, fmt.Errorf("%w: DHCP: a message of no type", ErrMalformed)
	}
	return c, nil
}

// claimed is the address that the client is about to have: what it only hopes for does
// not count.
func claimed(m *layers.DHCPv4, kind layers.DHCPMsgType, requested netip.Addr) netip.Addr {
	var addr netip.Addr
	switch kind {
	case layers.DHCPMsgTypeRequest:
		if addr = requested; !addr.IsValid() {
			addr, _ = netip.AddrFromSlice(m.ClientIP.To4())
		}
	case layers.DHCPMsgTypeInform:
		addr, _ = netip.AddrFromSlice(m.ClientIP.To4())
	case layers.DHCPMsgTypeAck:
		addr, _ = netip.AddrFromSlice(m.YourClientIP.To4())
	}
	if !addr.IsValid() || addr.IsUnspecified() {
		return netip.Addr{}
	}
	return addr
}

// datagram is what a UDP datagram bears, from its IPv4 header on.
func datagram(packet []byte) ([]byte, error) {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return nil, fmt.Errorf("%w: not IPv4", ErrMalformed)
	}
	at := int(packet[0]&0xf) * 4
	if at < 20 || len(packet) < at+udpHeader {
		return nil, fmt.Errorf("%w: IPv4 with a header of %d bytes of %d", ErrMalformed, at, len(packet))
	}
	size := int(binary.BigEndian.Uint16(packet[at+4:]))
	if size < udpHeader || at+size > len(packet) {
		return nil, fmt.Errorf("%w: UDP of %d bytes in %d", ErrMalformed, size, len(packet)-at)
	}
	return packet[at+udpHeader : at+size], nil
}

// text is a name as the sender wrote it; some put a NUL behind it.
func text(b []byte) string {
	s := strings.TrimRight(string(b[:min(len(b), maxText)]), "\x00")
	return strings.ToValidUTF8(s, "\uFFFD")
}

// fqdn is the name in a Client FQDN option (RFC 4702), which is fuller than the host
// name; in its wire form only when it is plain text.
func fqdn(b []byte, instead string) string {
	const encoded = 0x04 // flag E: DNS wire format
	if len(b) <= 3 || b[0]&encoded != 0 {
		return instead
	}
	return text(b[3:])
}
