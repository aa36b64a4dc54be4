package lldp

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// Families of addresses (IANA address family numbers).
const (
	familyIPv4 = 1
	familyIPv6 = 2
	family802  = 6
	familyDNS  = 16
)

// Kinds of identifiers by subtype; 0 and those past the end are reserved.
var (
	chassisKinds = [...]string{1: "component", "ifalias", "port", "mac", "ip", "ifname", "local"}
	portKinds    = [...]string{1: "ifalias", "port", "mac", "ip", "ifname", "circuit", "local"}
)

const (
	maxID     = 255
	macLength = 6
)

func (d *decoder) chassis(v []byte) (err error) {
	d.Chassis, err = d.identifier("chassis id", chassisKinds[:], v)
	return err
}

func (d *decoder) port(v []byte) (err error) {
	d.Port, err = d.identifier("port id", portKinds[:], v)
	return err
}

func (d *decoder) ttl(v []byte) error {
	if len(v) < 2 {
		return fmt.Errorf("%d bytes, want 2: %w", len(v), ErrMandatory)
	}
	if len(v) > 2 {
		d.problem("TTL: %d bytes, want 2", len(v))
	}
	d.TTL = binary.BigEndian.Uint16(v)
	return nil
}

func (d *decoder) identifier(name string, kinds []string, v []byte) (model.PortID, error) {
	if len(v) < 2 || len(v) > 1+maxID {
		return model.PortID{}, fmt.Errorf("%d bytes, want 2 to %d: %w", len(v), 1+maxID, ErrMandatory)
	}
	subtype, id := int(v[0]), v[1:]
	kind := strconv.Itoa(subtype)
	if subtype > 0 && subtype < len(kinds) {
		kind = kinds[subtype]
	}
	switch kind {
	case "mac":
		if len(id) != macLength {
			d.problem("%s: MAC of %d bytes", name, len(id))
		}
		return model.PortID{Kind: kind, ID: wire.MAC(id)}, nil
	case "ip":
		text, ok := address(id[0], id[1:])
		if !ok {
			d.problem("%s: address family %d with %d bytes", name, id[0], len(id)-1)
			text = wire.MAC(id)
		}
		return model.PortID{Kind: kind, ID: text}, nil
	}
	return model.PortID{Kind: kind, ID: wire.ID(id)}, nil
}

// address writes an address of any family; ok is false where the length does not
// fit the family.
func address(family uint8, b []byte) (text string, ok bool) {
	switch family {
	case familyIPv4:
		ok = len(b) == 4
	case familyIPv6:
		ok = len(b) == 16
	case family802:
		return wire.MAC(b), len(b) == macLength
	case familyDNS:
		return wire.ID(b), len(b) > 0
	default:
		return fmt.Sprintf("%x", b), len(b) > 0
	}
	text, _ = wire.IP(b)
	return text, ok
}

// capabilities of the system, in the order of their bits.
func (d *decoder) capabilities(v []byte) {
	if !d.fixed("system capabilities", v, 4) {
		return
	}
	d.Capabilities = systemBits(binary.BigEndian.Uint16(v))
	d.Enabled = systemBits(binary.BigEndian.Uint16(v[2:]))
}

func systemBits(set uint16) []string {
	return wire.Bits(uint32(set), "other", "repeater", "bridge", "wlan-access-point", "router", "telephone",
		"docsis-cable-device", "station-only", "c-vlan", "s-vlan", "two-port-mac-relay")
}

// raw keeps a TLV as it came.
func raw(kind uint8, oui []byte, subtype uint8, value []byte) model.RawTLV {
	return model.RawTLV{Type: uint16(kind), OUI: wire.OUI(oui), Subtype: subtype, Value: fmt.Sprintf("%x", value)}
}
