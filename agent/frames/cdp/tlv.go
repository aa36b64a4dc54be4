package cdp

import (
	"encoding/binary"
	"fmt"
	"strings"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// repeatable are the TLVs of which each counts.
func repeatable(t uint16) bool {
	return t == typeAddresses || t == typeManagement
}

// tlv reads one value. A further one of what may come once is kept raw.
func (d *decoder) tlv(t uint16, v []byte) {
	if d.seen[t] && !repeatable(t) || !d.known(t, v) {
		wire.Unknown(&d.Discovery, model.RawTLV{Type: t, Value: fmt.Sprintf("%x", v)})
		return
	}
	d.seen[t] = true
}

// known reads a value if its type is known; a malformed one is known too.
func (d *decoder) known(t uint16, v []byte) bool {
	if d.foundry {
		return d.knownToFoundry(t, v)
	}
	return d.text(t, v) || d.number(t, v) || d.compound(t, v)
}

// knownToFoundry reads one of the TLVs that FDP has in common with CDP.
func (d *decoder) knownToFoundry(t uint16, v []byte) bool {
	switch t {
	case typeDevice, typePort, typeSoftware, typePlatform:
		return d.text(t, v)
	case typeAddresses:
		return d.compound(t, v)
	case typeCapabilities:
		if what := strings.ToLower(wire.Text(v)); what != "" {
			d.Capabilities = []string{what}
		}
		return true
	}
	return false
}

func (d *decoder) text(t uint16, v []byte) bool {
	switch t {
	case typeDevice:
		d.Chassis = model.PortID{Kind: kind, ID: wire.ID(v)}
	case typePort:
		d.Port = model.PortID{Kind: kind, ID: wire.ID(v)}
		if len(v) == 0 {
			d.problem("port id is empty")
		}
	case typeSoftware:
		d.SystemDescr = wire.Text(v)
	case typePlatform:
		d.Platform = wire.Text(v)
	case typeVTPDomain:
		d.VTPDomain = wire.Text(v)
	case typeSystemName:
		d.SystemName = wire.Text(v)
	case typeSystemObject:
		d.SystemObject = fmt.Sprintf("%x", v)
	case typeHello:
		d.Cluster = fmt.Sprintf("%x", v)
	default:
		return false
	}
	return true
}

func (d *decoder) number(t uint16, v []byte) bool {
	switch t {
	case typeCapabilities:
		if d.enough("capabilities", v, 4) {
			d.Capabilities = capabilities(binary.BigEndian.Uint32(v))
		}
	case typeNativeVLAN:
		if d.enough("native VLAN", v, 2) {
			d.PortVLAN = binary.BigEndian.Uint16(v)
		}
	case typeDuplex:
		if d.enough("duplex", v, 1) {
			d.Duplex = duplex(v[0])
		}
	case typeConsumption:
		if d.enough("power consumption", v, 2) {
			d.power().ConsumptionMW = uint32(binary.BigEndian.Uint16(v))
		}
	case typeMTU:
		if d.enough("MTU", v, 4) {
			d.MTU = binary.BigEndian.Uint32(v)
		}
	default:
		return false
	}
	return true
}

func (d *decoder) compound(t uint16, v []byte) bool {
	switch t {
	case typeAddresses:
		d.Addresses = append(d.Addresses, d.addresses("addresses", v)...)
	case typeManagement:
		for _, a := range d.addresses("management addresses", v) {
			d.Management = append(d.Management, model.ManagementAddress{Address: a})
		}
	case typeVoiceVLAN:
		return d.voiceVLAN(v)
	case typeLocation: // a byte of unknown meaning comes first
		if d.enough("location", v, 1) {
			d.Location = wire.Text(v[1:])
		}
	case typePowerRequested:
		if levels := d.powerLevels("power requested", v); len(levels) > 0 {
			d.power().RequestedMW = levels[0]
		}
	case typePowerAvailable:
		if levels := d.powerLevels("power available", v); len(levels) > 0 {
			d.power().AvailableMW = levels
		}
	default:
		return false
	}
	return true
}

// voiceVLAN reads pairs of an appliance and its VLAN; the first one counts. Other
// forms are not known.
func (d *decoder) voiceVLAN(v []byte) bool {
	const pair = 3
	if len(v) < pair {
		return false
	}
	d.VoiceVLAN = binary.BigEndian.Uint16(v[1:])
	return true
}

// powerLevels reads a request's id, a management id, and levels in milliwatt, the
// preferred one first.
func (d *decoder) powerLevels(name string, v []byte) (levels []uint32) {
	const ids, level, most = 4, 4, 64
	if !d.enough(name, v, ids+level) {
		return nil
	}
	for v = v[ids:]; len(v) >= level && len(levels) < most; v = v[level:] {
		levels = append(levels, binary.BigEndian.Uint32(v))
	}
	return levels
}

func (d *decoder) power() *model.Power {
	if d.Power == nil {
		d.Power = &model.Power{}
	}
	return d.Power
}

func (d *decoder) enough(name string, v []byte, least int) bool {
	if len(v) < least {
		d.problem("%s: %d bytes, want %d", name, len(v), least)
		return false
	}
	return true
}

func capabilities(set uint32) []string {
	return wire.Bits(set, "router", "bridge", "source-route-bridge", "switch", "host", "igmp", "repeater",
		"telephone", "remotely-managed", "cvta", "two-port-mac-relay")
}

func duplex(n uint8) string {
	if n == 0 {
		return "half"
	}
	return "full"
}
