package pcap_test

import (
	"encoding/hex"
	"strconv"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// oracle makes a Discovery of what tshark says.
type oracle struct{ model.Discovery }

// lldpSays is the Discovery of an LLDP frame.
func lldpSays(proto field) model.Discovery {
	o := oracle{model.Discovery{Protocol: model.LLDP}}
	for _, tlv := range proto.Fields {
		if _, ok := tlv.first("lldp.tlv.type"); ok {
			o.tlv(tlv)
		}
	}
	return o.Discovery
}

func (o *oracle) tlv(f field) {
	switch kind := f.number("lldp.tlv.type"); kind {
	case 0:
	case 1:
		kinds := []string{"", "component", "ifalias", "port", "mac", "ip", "ifname", "local"}
		o.Chassis = identifier(f, "lldp.chassis", kinds)
	case 2:
		kinds := []string{"", "ifalias", "port", "mac", "ip", "ifname", "circuit", "local"}
		o.Port = identifier(f, "lldp.port", kinds)
	case 3:
		o.TTL = uint16(f.number("lldp.time_to_live"))
	case 4:
		o.PortDescr = wire.Text(f.bytes("lldp.port.desc"))
	case 5:
		o.SystemName = wire.Text(f.bytes("lldp.tlv.system.name"))
	case 6:
		o.SystemDescr = wire.Text(f.bytes("lldp.tlv.system.desc"))
	case 7:
		o.Capabilities = systemCaps(f, "lldp.tlv.system_cap")
		o.Enabled = systemCaps(f, "lldp.tlv.enable_system_cap")
	case 8:
		o.management(f)
	case 127:
		o.organisation(f)
	default:
		o.Unknown = append(o.Unknown, model.RawTLV{Type: uint16(kind), Value: f.Value[4:]})
	}
}

func identifier(f field, prefix string, kinds []string) model.PortID {
	id := model.PortID{Kind: pick(kinds, f.number(prefix+".subtype"))}
	for _, suffix := range []string{".id.mac", ".id.ip4", ".id.ip6"} {
		if v, ok := f.first(prefix + suffix); ok {
			id.ID = v.Show
			return id
		}
	}
	id.ID = wire.ID(f.bytes(prefix + ".id"))
	if id.Kind == "ip" { // of another family than IP
		switch f.number("lldp.network_address.subtype") {
		case 6:
			id.ID = wire.MAC(f.bytes(prefix + ".id"))
		case 16:
		default:
			id.ID = hex.EncodeToString(f.bytes(prefix + ".id"))
		}
	}
	return id
}

// systemCaps are the bits that tshark names, and those that it does not, from the
// number.
func systemCaps(f field, prefix string) []string {
	named := f.names(prefix+".other", "other", prefix+".repeater", "repeater", prefix+".bridge", "bridge",
		prefix+".wlan_access_pt", "wlan-access-point", prefix+".router", "router", prefix+".telephone", "telephone",
		prefix+".docsis_cable_device", "docsis-cable-device", prefix+".station_only", "station-only")
	for i, name := range []string{"c-vlan", "s-vlan", "two-port-mac-relay", "bit-11", "bit-12", "bit-13", "bit-14", "bit-15"} {
		if f.number(prefix)>>(8+i)&1 != 0 {
			named = append(named, name)
		}
	}
	return named
}

func (o *oracle) management(f field) {
	m := model.ManagementAddress{Interface: uint32(f.number("lldp.mgn.interface.number"))}
	m.InterfaceKind = map[uint64]string{2: "ifindex", 3: "port"}[f.number("lldp.mgn.interface.subtype")]
	for _, name := range []string{"lldp.mgn.addr.ip4", "lldp.mgn.addr.ip6"} {
		if v, ok := f.first(name); ok {
			m.Address = v.Show
		}
	}
	if v, ok := f.first("lldp.mgn.addr.hex"); ok {
		m.Address = v.Value
		if f.number("lldp.mgn.address.subtype") == 6 {
			m.Address = v.Show
		}
	}
	if v, ok := f.first("lldp.mgn.obj.id"); ok {
		m.OID = v.Show
	}
	o.Management = append(o.Management, m)
}

func (o *oracle) organisation(f field) {
	known := false
	subtype := uint8(0)
	if raw, _ := hex.DecodeString(f.Value); len(raw) >= 6 {
		subtype = raw[5]
	}
	oui := hex.EncodeToString(f.bytes("lldp.orgtlv.oui"))
	switch oui {
	case "0080c2":
		known = o.dot1(subtype, f)
	case "00120f":
		known = o.dot3(subtype, f)
	case "0012bb":
		known = o.med(subtype, f)
	}
	if !known {
		o.Unknown = append(o.Unknown, model.RawTLV{Type: 127, OUI: oui[:2] + "-" + oui[2:4] + "-" + oui[4:], Subtype: subtype, Value: f.Value[12:]})
	}
}

func (o *oracle) dot1(subtype uint8, f field) bool {
	const p = "lldp.ieee.802_1."
	switch subtype {
	case 1:
		o.PortVLAN = uint16(f.number(p + "port_vlan.id"))
	case 2:
		o.ProtoVLANs = append(o.ProtoVLANs, model.ProtocolVLAN{ID: uint16(f.number(p + "port_proto_vlan.id")),
			Supported: f.is(p + "port_and_vlan_id_flag.supported"), Enabled: f.is(p + "port_and_vlan_id_flag.enabled")})
	case 3:
		o.VLANs = append(o.VLANs, model.VLAN{ID: uint16(f.number(p + "vlan.id")), Name: wire.Text(f.bytes(p + "vlan.name"))})
	case 4:
		if f.is(p + "proto.id_length") {
			o.ProtoIDs = append(o.ProtoIDs, hex.EncodeToString(f.bytes(p+"proto.id")))
		}
	case 6: // tshark does not read it: by hand
		vlan, _ := strconv.ParseUint(f.Value[12:16], 16, 16)
		o.ManagementVLAN = uint16(vlan)
	case 7:
		o.Aggregation = &model.Aggregation{Capable: f.is(p + "aggregation_status.cap"),
			Enabled: f.is(p + "aggregation_status.enabled"), Port: uint32(f.number(p + "aggregated_port_id"))}
	default:
		return false
	}
	return true
}
