package lldp

import (
	"encoding/binary"
	"strconv"

	"cassini/model"
)

// Lengths of power via MDI as the standard grew.
const (
	power2005 = 3  // 802.1AB-2005
	powerAT   = 8  // 802.3at
	powerBT   = 25 // 802.3bt
)

const maxClass = 5 // on the wire, where 1 means class 0

// tenths of a watt, as the wire counts, in milliwatt.
func tenths(b []byte) uint32 { return 100 * uint32(binary.BigEndian.Uint16(b)) }

func (d *decoder) power(v []byte) {
	if !d.fixed("802.3 power via MDI", v, power2005) {
		return
	}
	p := &model.Power{
		Class: "pd", Supported: v[0]&2 != 0, Enabled: v[0]&4 != 0, PairControl: v[0]&8 != 0, Pairs: pairs(v[1]),
	}
	if v[0]&1 != 0 {
		p.Class = "pse"
	}
	if v[2] >= 1 && v[2] <= maxClass {
		p.PowerClass = v[2] - 1
	}
	if len(v) >= powerAT {
		p.Type = 2 - v[3]>>7
		pd := v[3]&0x40 != 0
		p.Source, p.Priority = powerSource(pd, v[3]>>4&3), powerPriority(v[3]&3)
		p.RequestedMW, p.AllocatedMW = tenths(v[4:]), tenths(v[6:])
	} else if len(v) > power2005 {
		d.problem("802.3 power via MDI: %d bytes, want %d, %d or %d", len(v), power2005, powerAT, powerBT)
	}
	if len(v) >= powerBT {
		p.BT = powerExtension(v[powerAT:])
	}
	d.Power = p
}

func pairs(n uint8) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "signal"
	case 2:
		return "spare"
	}
	return strconv.Itoa(int(n))
}

// powerSource names where the power comes from; it depends on who says it.
func powerSource(pd bool, n uint8) string {
	if pd {
		return [...]string{"unknown", "pse", "local", "pse-and-local"}[n&3]
	}
	return [...]string{"unknown", "primary", "backup", "reserved"}[n&3]
}

func powerPriority(n uint8) string {
	if names := [...]string{"unknown", "critical", "high", "low"}; int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

// powerExtension reads what 802.3bt added (79.3.2).
func powerExtension(v []byte) *model.PowerBT {
	status, setup := binary.BigEndian.Uint16(v[8:]), v[10]
	return &model.PowerBT{
		RequestedModeAMW: tenths(v), RequestedModeBMW: tenths(v[2:]),
		AllocatedAltAMW: tenths(v[4:]), AllocatedAltBMW: tenths(v[6:]),
		Powering: uint8(status >> 14), Powered: uint8(status >> 12 & 3), Pairs: uint8(status >> 10 & 3),
		ClassModeA: uint8(status >> 7 & 7), ClassModeB: uint8(status >> 4 & 7), Class: uint8(status & 15),
		Type: setup >> 1 & 7, Overload: setup&1 != 0,
		MaximumMW: tenths(v[11:]), Autoclass: v[13] & 7,
		PowerDown: v[14]>>2 == powerDownWord, PowerDownSeconds: uint32(v[14]&3)<<16 | uint32(binary.BigEndian.Uint16(v[15:])),
	}
}

// powerDownWord in the power down field asks for it.
const powerDownWord = 0x1d
