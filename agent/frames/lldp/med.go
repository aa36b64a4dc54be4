package lldp

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// media reads what ANSI/TIA-1057 has laid down; false for what it is not known.
func (d *decoder) media(subtype uint8, v []byte) bool {
	switch subtype {
	case 1:
		d.medCapabilities(v)
	case 2:
		d.medPolicy(v)
	case 3:
		return d.medLocation(v)
	case 4:
		d.medPower(v)
	default:
		return d.inventory(subtype, v)
	}
	return true
}

// med is where media endpoints' words go; made when the first one is good.
func (d *decoder) med() *model.MED {
	if d.MED == nil {
		d.MED = &model.MED{}
	}
	return d.MED
}

func (d *decoder) medCapabilities(v []byte) {
	if !d.fixed("MED capabilities", v, 3) {
		return
	}
	m := d.med()
	m.Capabilities = wire.Bits(uint32(binary.BigEndian.Uint16(v)), "capabilities", "network-policy", "location",
		"power-pse", "power-pd", "inventory")
	names := [...]string{"undefined", "endpoint-1", "endpoint-2", "endpoint-3", "network"}
	m.DeviceClass = named(names[:], v[2])
}

// named picks a name by number, or the number.
func named(names []string, n uint8) string {
	if int(n) < len(names) {
		return names[n]
	}
	return strconv.Itoa(int(n))
}

var applications = [...]string{"0", "voice", "voice-signaling", "guest-voice", "guest-voice-signaling", "softphone-voice",
	"video-conferencing", "streaming-video", "video-signaling"}

func (d *decoder) medPolicy(v []byte) {
	if !d.enough("MED network policy", v, 4) {
		return
	}
	bits := uint32(v[1])<<16 | uint32(binary.BigEndian.Uint16(v[2:]))
	m := d.med()
	m.Policies = append(m.Policies, model.MEDPolicy{
		Application: named(applications[:], v[0]),
		Unknown:     bits>>23&1 != 0, Tagged: bits>>22&1 != 0,
		VLAN: uint16(bits >> 9 & 0xfff), Priority: uint8(bits >> 6 & 7), DSCP: uint8(bits & 0x3f),
	})
}

func (d *decoder) medPower(v []byte) {
	if !d.fixed("MED extended power", v, 3) {
		return
	}
	kind := v[0] >> 6
	devices := [...]string{"pse", "pd", "2", "3"}
	d.med().Power = &model.MEDPower{
		Device: devices[kind], Source: powerSource(kind&1 == 1, v[0]>>4&3),
		Priority: powerPriority(v[0] & 15), MW: tenths(v[1:]),
	}
}

// Formats of a location.
const (
	locationCoordinates = 1
	locationCivic       = 2
	locationELIN        = 3

	coordinatesLength = 16
)

func (d *decoder) medLocation(v []byte) bool {
	if !d.enough("MED location", v, 1) {
		return true
	}
	format, v := v[0], v[1:]
	switch format {
	case locationCoordinates:
		if d.fixed("MED coordinates", v, coordinatesLength) {
			d.med().Coordinates = fmt.Sprintf("%x", v[:coordinatesLength])
		}
	case locationCivic:
		d.civic(v)
	case locationELIN:
		if d.once("MED ELIN") {
			d.med().ELIN = wire.Text(v)
		}
	default:
		return false
	}
	return true
}

// inventory reads the texts of subtypes 5 to 11.
func (d *decoder) inventory(subtype uint8, v []byte) bool {
	var i model.MEDInventory
	fields := [...]struct {
		name string
		to   *string
	}{
		{"hardware revision", &i.Hardware}, {"firmware revision", &i.Firmware}, {"software revision", &i.Software},
		{"serial number", &i.Serial}, {"manufacturer", &i.Manufacturer}, {"model", &i.Model}, {"asset id", &i.Asset},
	}
	n := int(subtype) - 5
	if n < 0 || n >= len(fields) {
		return false
	}
	m := d.med()
	if m.Inventory != nil {
		i = *m.Inventory
	}
	d.text("MED "+fields[n].name, fields[n].to, v)
	m.Inventory = &i
	return true
}
