package lldp

import (
	"encoding/binary"
	"fmt"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// Organisations whose TLVs are read.
var (
	oui8021 = [3]byte{0x00, 0x80, 0xc2}
	oui8023 = [3]byte{0x00, 0x12, 0x0f}
	ouiMED  = [3]byte{0x00, 0x12, 0xbb}
)

// organization reads a TLV of an organisation: OUI, subtype, value.
func (d *decoder) organization(v []byte) {
	if !d.enough("organisational TLV", v, 4) {
		return
	}
	oui, subtype, value := [3]byte(v), v[3], v[4:]
	known := false
	switch oui {
	case oui8021:
		known = d.dot1(subtype, value)
	case oui8023:
		known = d.dot3(subtype, value)
	case ouiMED:
		known = d.media(subtype, value)
	}
	if !known {
		wire.Unknown(&d.Discovery, raw(typeOrganization, v[:3], subtype, value))
	}
}

// dot1 reads what IEEE 802.1 has laid down; false for what it is not known.
func (d *decoder) dot1(subtype uint8, v []byte) bool {
	switch subtype {
	case 1:
		if d.fixed("802.1 port VLAN", v, 2) {
			d.PortVLAN = binary.BigEndian.Uint16(v)
		}
	case 2:
		d.protocolVLAN(v)
	case 3:
		d.vlanName(v)
	case 4:
		d.protocolIdentity(v)
	case 6:
		if d.fixed("802.1 management VLAN", v, 2) {
			d.ManagementVLAN = binary.BigEndian.Uint16(v)
		}
	case 7:
		d.aggregation("802.1 link aggregation", v)
	default:
		return false
	}
	return true
}

func (d *decoder) protocolVLAN(v []byte) {
	if !d.enough("802.1 port and protocol VLAN", v, 3) {
		return
	}
	d.ProtoVLANs = append(d.ProtoVLANs, model.ProtocolVLAN{
		ID: binary.BigEndian.Uint16(v[1:]), Supported: v[0]&2 != 0, Enabled: v[0]&4 != 0,
	})
}

func (d *decoder) vlanName(v []byte) {
	const name = "802.1 VLAN name"
	if d.enough(name, v, 3) && d.enough(name, v, 3+int(v[2])) {
		d.VLANs = append(d.VLANs, model.VLAN{ID: binary.BigEndian.Uint16(v), Name: wire.Text(v[3 : 3+int(v[2])])})
	}
}

func (d *decoder) protocolIdentity(v []byte) {
	const name = "802.1 protocol identity"
	if d.enough(name, v, 1) && v[0] > 0 && d.enough(name, v, 1+int(v[0])) {
		d.ProtoIDs = append(d.ProtoIDs, fmt.Sprintf("%x", v[1:1+int(v[0])]))
	}
}

// aggregation is the same TLV of 802.3 in its first edition and of 802.1 since.
// The latter wins where both are sent.
func (d *decoder) aggregation(name string, v []byte) {
	if !d.fixed(name, v, 5) {
		return
	}
	if d.Aggregation != nil && name != "802.1 link aggregation" {
		return
	}
	d.Aggregation = &model.Aggregation{
		Capable: v[0]&1 != 0, Enabled: v[0]&2 != 0, Port: binary.BigEndian.Uint32(v[1:]),
	}
}
