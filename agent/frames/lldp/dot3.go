package lldp

import (
	"encoding/binary"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// dot3 reads what IEEE 802.3 has laid down; false for what it is not known.
func (d *decoder) dot3(subtype uint8, v []byte) bool {
	switch subtype {
	case 1:
		d.macPHY(v)
	case 2:
		d.power(v)
	case 3:
		d.aggregation("802.3 link aggregation", v)
	case 4:
		if d.fixed("802.3 maximum frame size", v, 2) {
			d.MTU = uint32(binary.BigEndian.Uint16(v))
		}
	default:
		return false
	}
	return true
}

func (d *decoder) macPHY(v []byte) {
	if !d.fixed("802.3 MAC/PHY", v, 5) {
		return
	}
	mau := binary.BigEndian.Uint16(v[3:])
	d.MACPHY = &model.MACPHY{
		Supported: v[0]&1 != 0, Enabled: v[0]&2 != 0,
		Advertised: advertised(binary.BigEndian.Uint16(v[1:])),
		MAUType:    mau, MAU: mauName(mau),
	}
}

// advertised names the bits of ifMauAutoNegCapAdvertisedBits, slowest first.
func advertised(set uint16) []string {
	var mirrored uint32 // SNMP counts bits from the highest
	for i := range 16 {
		mirrored |= uint32(set>>i&1) << (15 - i)
	}
	return wire.Bits(mirrored, "other", "10base-t", "10base-t-full", "100base-t4", "100base-tx", "100base-tx-full",
		"100base-t2", "100base-t2-full", "pause", "asymmetric-pause", "symmetric-pause", "asymmetric-symmetric-pause",
		"1000base-x", "1000base-x-full", "1000base-t", "1000base-t-full")
}
