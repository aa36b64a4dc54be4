package announce

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/gopacket"
)

// ErrMalformed marks bytes that are not what the protocol describes, or that no
// honest machine sends.
var ErrMalformed = errors.New("malformed announcement")

// Address is a hardware address that holds an IP address.
type Address struct {
	MAC    string // aa:bb:cc:dd:ee:ff
	Addr   netip.Addr
	Router bool // it offers to route
}

// layer is what gopacket decodes.
type layer interface {
	DecodeFromBytes(data []byte, df gopacket.DecodeFeedback) error
}

// decode is the only way to gopacket's decoders: some slice by a length that the
// sender chose.
func decode(what string, into layer, data []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %s: %v", ErrMalformed, what, r)
		}
	}()
	if err := into.DecodeFromBytes(data, gopacket.NilDecodeFeedback); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMalformed, what, err)
	}
	return nil
}

// hardware is an Ethernet address of one machine.
func hardware(b []byte) (string, error) {
	mac := net.HardwareAddr(b)
	if len(mac) != 6 || mac[0]&1 != 0 || [6]byte(mac) == [6]byte{} {
		return "", fmt.Errorf("%w: hardware address %q", ErrMalformed, mac.String())
	}
	return mac.String(), nil
}

// holds is an address that one machine can hold.
func holds(mac []byte, addr netip.Addr, router bool) (Address, error) {
	text, err := hardware(mac)
	if err != nil {
		return Address{}, err
	}
	addr = addr.WithZone("")
	if !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast() || addr.IsLoopback() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return Address{}, fmt.Errorf("%w: %s says that it holds %s", ErrMalformed, text, addr)
	}
	return Address{MAC: text, Addr: addr, Router: router}, nil
}
