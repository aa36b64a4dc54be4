package pcap_test

import (
	"encoding/hex"
	"strings"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// fdpSays is the Discovery of an FDP frame. tshark calls each TLV a device id.
func fdpSays(proto field) model.Discovery {
	d := model.Discovery{Protocol: model.FDP, Version: int(proto.number("fdp.version")), TTL: uint16(proto.number("fdp.holdtime"))}
	for _, tlv := range proto.Protos {
		value := tlv.bytes("fdp.string.data")
		switch kind := tlv.number("fdp.tlv.type"); kind {
		case 1:
			d.Chassis = model.PortID{Kind: "cdp", ID: wire.ID(value)}
		case 3:
			d.Port = model.PortID{Kind: "cdp", ID: wire.ID(value)}
		case 4:
			d.Capabilities = []string{strings.ToLower(wire.Text(value))}
		case 5:
			d.SystemDescr = wire.Text(value)
		case 6:
			d.Platform = wire.Text(value)
		default:
			d.Unknown = append(d.Unknown, model.RawTLV{Type: uint16(kind), Value: hex.EncodeToString(value)})
		}
	}
	return d
}
