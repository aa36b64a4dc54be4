package netconf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"syscall"

	"cassini/model"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// question is a request of ethtool's netlink interface, and how its answer is read
// (Documentation/networking/ethtool-netlink.rst in the kernel's source).
type question struct {
	command uint8
	read    func(attributes []syscall.NetlinkRouteAttr, s *settings) error
}

var (
	linkModes = question{unix.ETHTOOL_MSG_LINKMODES_GET, readLinkModes}
	linkInfo  = question{unix.ETHTOOL_MSG_LINKINFO_GET, readLinkInfo}
	rings     = question{unix.ETHTOOL_MSG_RINGS_GET, readRings}
	pause     = question{unix.ETHTOOL_MSG_PAUSE_GET, readPause}
	wake      = question{unix.ETHTOOL_MSG_WOL_GET, readWake}
)

// errNoFamily says that the kernel has no ethtool over netlink: before Linux 5.6.
var errNoFamily = errors.New("no ethtool over netlink")

// parseAnswer reads what follows the netlink header: struct genlmsghdr and attributes.
// The library beneath trusts lengths that the kernel wrote; should it be wrong, the
// answer is malformed and not the end.
func parseAnswer(b []byte, q question, s *settings) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: ethtool: %v", errMalformed, r)
		}
	}()
	attributes, err := genlAttributes(b)
	if err != nil {
		return err
	}
	return q.read(attributes, s)
}

func genlAttributes(b []byte) ([]syscall.NetlinkRouteAttr, error) {
	if len(b) < nl.SizeofGenlmsg {
		return nil, fmt.Errorf("%w: ethtool: %d bytes", errMalformed, len(b))
	}
	list, err := nl.ParseRouteAttr(b[nl.SizeofGenlmsg:])
	if err != nil {
		return nil, fmt.Errorf("%w: ethtool: %w", errMalformed, err)
	}
	return list, nil
}

// kindOf is an attribute's type without the flag of nesting.
func kindOf(a syscall.NetlinkRouteAttr) uint16 { return a.Attr.Type & nl.NLA_TYPE_MASK }

func readLinkModes(attributes []syscall.NetlinkRouteAttr, s *settings) error {
	modes := &model.LinkModes{}
	for _, a := range attributes {
		var err error
		switch kindOf(a) {
		case unix.ETHTOOL_A_LINKMODES_AUTONEG:
			s.autonegotiation = octet(a.Value) == 1
		case unix.ETHTOOL_A_LINKMODES_SPEED:
			s.speed = known(word(a.Value))
		case unix.ETHTOOL_A_LINKMODES_DUPLEX:
			s.duplex = duplexName(octet(a.Value))
		case unix.ETHTOOL_A_LINKMODES_OURS:
			modes.Supported, modes.Advertised, err = bitset(a.Value)
		case unix.ETHTOOL_A_LINKMODES_PEER:
			modes.Peer, _, err = bitset(a.Value)
		}
		if err != nil {
			return err
		}
	}
	if len(modes.Supported)+len(modes.Peer) > 0 {
		s.modes = modes
	}
	return nil
}

func readLinkInfo(attributes []syscall.NetlinkRouteAttr, s *settings) error {
	for _, a := range attributes {
		if kindOf(a) == unix.ETHTOOL_A_LINKINFO_PORT {
			s.port = portName(octet(a.Value))
		}
	}
	return nil
}

func readRings(attributes []syscall.NetlinkRouteAttr, s *settings) error {
	s.ring = &model.RingSizes{}
	for _, a := range attributes {
		if field := map[uint16]*uint32{unix.ETHTOOL_A_RINGS_RX: &s.ring.RX, unix.ETHTOOL_A_RINGS_RX_MAX: &s.ring.RXMax,
			unix.ETHTOOL_A_RINGS_TX: &s.ring.TX, unix.ETHTOOL_A_RINGS_TX_MAX: &s.ring.TXMax}[kindOf(a)]; field != nil {
			*field = word(a.Value)
		}
	}
	return nil
}

func readPause(attributes []syscall.NetlinkRouteAttr, s *settings) error {
	s.pause = &model.Pause{}
	for _, a := range attributes {
		if field := map[uint16]*bool{unix.ETHTOOL_A_PAUSE_AUTONEG: &s.pause.Autonegotiation, unix.ETHTOOL_A_PAUSE_RX: &s.pause.RX,
			unix.ETHTOOL_A_PAUSE_TX: &s.pause.TX}[kindOf(a)]; field != nil {
			*field = octet(a.Value) == 1
		}
	}
	return nil
}

func readWake(attributes []syscall.NetlinkRouteAttr, s *settings) error {
	for _, a := range attributes {
		if kindOf(a) != unix.ETHTOOL_A_WOL_MODES {
			continue
		}
		bits := uint32(0)
		supported := false
		err := eachBit(a.Value, func(index uint32, _ string, set bool) {
			supported = true
			if set && index < 32 {
				bits |= 1 << index
			}
		})
		if err != nil {
			return err
		}
		if supported {
			s.wake = wakeLetters(bits)
		}
	}
	return nil
}

// bitset reads the names in a set of bits: all of them, and those that are set.
func bitset(b []byte) (all, set []string, err error) {
	err = eachBit(b, func(_ uint32, name string, is bool) {
		all = append(all, name)
		if is {
			set = append(set, name)
		}
	})
	return all, set, err
}

// maxBits bounds how many bits of a set are read; there are some 120 link modes.
const maxBits = 1024

// eachBit reads a set of bits in its verbose form, which names them. In a list without
// a mask those that are listed are set.
func eachBit(b []byte, take func(index uint32, name string, set bool)) error {
	parts, err := nl.ParseRouteAttr(b)
	if err != nil {
		return fmt.Errorf("%w: ethtool: bits: %w", errMalformed, err)
	}
	list, left := false, maxBits
	for _, part := range parts {
		switch kindOf(part) {
		case unix.ETHTOOL_A_BITSET_NOMASK:
			list = true
		case unix.ETHTOOL_A_BITSET_BITS:
			bits, err := nl.ParseRouteAttr(part.Value)
			if err != nil {
				return fmt.Errorf("%w: ethtool: bits: %w", errMalformed, err)
			}
			for _, bit := range bits[:min(len(bits), left)] {
				index, name, set, err := oneBit(bit.Value)
				if err != nil {
					return err
				}
				take(index, name, set || list)
			}
			left -= min(len(bits), left)
		}
	}
	return nil
}

func oneBit(b []byte) (index uint32, name string, set bool, err error) {
	parts, err := nl.ParseRouteAttr(b)
	if err != nil {
		return 0, "", false, fmt.Errorf("%w: ethtool: bit: %w", errMalformed, err)
	}
	index = math.MaxUint32
	for _, part := range parts {
		switch kindOf(part) {
		case unix.ETHTOOL_A_BITSET_BIT_INDEX:
			index = word(part.Value)
		case unix.ETHTOOL_A_BITSET_BIT_NAME:
			name = unix.ByteSliceToString(part.Value)
		case unix.ETHTOOL_A_BITSET_BIT_VALUE:
			set = true
		}
	}
	return index, name, set, nil
}

func octet(b []byte) uint8 {
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// parseNotice reads which link a notification is about. All kinds begin with the same
// header (ETHTOOL_A_*_HEADER is 1).
func parseNotice(b []byte) (index int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: ethtool: %v", errMalformed, r)
		}
	}()
	attributes, err := genlAttributes(b)
	if err != nil {
		return 0, err
	}
	for _, a := range attributes {
		if kindOf(a) != unix.ETHTOOL_A_LINKMODES_HEADER {
			continue
		}
		header, err := nl.ParseRouteAttr(a.Value)
		if err != nil {
			return 0, fmt.Errorf("%w: ethtool: header: %w", errMalformed, err)
		}
		for _, h := range header {
			if kindOf(h) == unix.ETHTOOL_A_HEADER_DEV_INDEX && len(h.Value) >= 4 {
				return int(binary.NativeEndian.Uint32(h.Value)), nil
			}
		}
	}
	return 0, fmt.Errorf("%w: ethtool: a notice of no link", errMalformed)
}
