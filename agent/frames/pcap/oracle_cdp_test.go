package pcap_test

import (
	"bytes"
	"encoding/hex"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// cdpSays is the Discovery of a CDP frame.
func cdpSays(proto field) model.Discovery {
	o := oracle{model.Discovery{Protocol: model.CDP}}
	o.Version, o.TTL = int(proto.number("cdp.version")), uint16(proto.number("cdp.ttl"))
	for _, tlv := range proto.Fields {
		if _, ok := tlv.first("cdp.tlv.type"); ok {
			o.cdp(tlv)
		}
	}
	return o.Discovery
}

func (o *oracle) cdp(f field) {
	kind := f.number("cdp.tlv.type")
	value, _ := hex.DecodeString(f.Value)
	value = value[min(4, len(value)):]
	text := func(name string) string { return wire.Text(f.bytes(name)) }
	switch kind {
	case 0x01:
		o.Chassis = model.PortID{Kind: "cdp", ID: wire.ID(f.bytes("cdp.deviceid"))}
	case 0x02:
		o.Addresses = append(o.Addresses, addressesSay(f)...)
	case 0x03:
		o.Port = model.PortID{Kind: "cdp", ID: wire.ID(f.bytes("cdp.portid"))}
	case 0x04:
		const p = "cdp.capabilities."
		o.Capabilities = f.names(p+"router", "router", p+"trans_bridge", "bridge", p+"src_bridge", "source-route-bridge",
			p+"switch", "switch", p+"host", "host", p+"igmp_capable", "igmp", p+"repeater", "repeater", p+"voip_phone", "telephone",
			p+"remote", "remotely-managed", p+"cvta", "cvta", p+"mac_relay", "two-port-mac-relay")
		o.Capabilities = append(o.Capabilities, unnamed(f.number("cdp.capabilities"), 11)...)
	case 0x05:
		var lines [][]byte // tshark splits it
		for _, line := range f.all("cdp.software_version") {
			lines = append(lines, bytes.TrimRight(line.octets(), "\n"))
		}
		o.SystemDescr = wire.Text(bytes.Join(lines, []byte("\n")))
	case 0x06:
		o.Platform = text("cdp.platform")
	case 0x08:
		o.Cluster = hex.EncodeToString(value)
	case 0x09:
		o.VTPDomain = text("cdp.vtp_management_domain")
	case 0x14:
		o.SystemName = text("cdp.system_name")
	case 0x15:
		o.SystemObject = hex.EncodeToString(f.bytes("cdp.system_object_identifier"))
	case 0x16:
		for _, a := range addressesSay(f) {
			o.Management = append(o.Management, model.ManagementAddress{Address: a})
		}
	case 0x17:
		o.Location = text("cdp.location")
	default:
		if !o.cdpNumber(kind, f) {
			o.Unknown = append(o.Unknown, model.RawTLV{Type: uint16(kind), Value: hex.EncodeToString(value)})
		}
	}
}

func (o *oracle) cdpNumber(kind uint64, f field) bool {
	switch kind {
	case 0x0a:
		o.PortVLAN = uint16(f.number("cdp.native_vlan"))
	case 0x0b:
		o.Duplex = pick([]string{"half", "full"}, f.number("cdp.duplex"))
	case 0x0e:
		if _, ok := f.first("cdp.voice_vlan"); !ok {
			return false
		}
		o.VoiceVLAN = uint16(f.number("cdp.voice_vlan"))
	case 0x10:
		o.power().ConsumptionMW = uint32(f.number("cdp.power_consumption"))
	case 0x11:
		o.MTU = uint32(f.number("cdp.mtu"))
	case 0x19:
		o.power().RequestedMW = uint32(f.number("cdp.power_requested"))
	case 0x1a:
		for _, level := range f.all("cdp.power_available") {
			one := field{Fields: []field{level}}
			o.power().AvailableMW = append(o.power().AvailableMW, uint32(one.number(level.Name)))
		}
	default:
		return false
	}
	return true
}

func (o *oracle) power() *model.Power {
	if o.Power == nil {
		o.Power = &model.Power{}
	}
	return o.Power
}

func addressesSay(f field) (list []string) {
	for _, a := range f.Fields {
		if a.Name != "" {
			continue
		}
		for _, name := range []string{"cdp.nrgyz.ip_address", "cdp.nrgyz.ipv6_address", "cdp.address"} {
			if v, ok := a.first(name); ok {
				text := v.Show
				if name == "cdp.address" {
					text = v.Value
				}
				list = append(list, text)
				break
			}
		}
	}
	return list
}
