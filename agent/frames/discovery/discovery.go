// Package discovery reads a frame by whichever protocol it bears. It does no I/O.
package discovery

import (
	"cassini/agent/frames/cdp"
	"cassini/agent/frames/lldp"
	"cassini/agent/frames/wire"
	"cassini/model"
)

// Read reads an unwrapped frame. The answer names the protocol also with an error,
// which is one of the two decoders'.
func Read(f wire.Frame) (d model.Discovery, err error) {
	switch f.Proto {
	case wire.LLDP:
		d, err = lldp.Decode(f.Payload)
		d.Protocol = model.LLDP
	case wire.CDP:
		d, err = cdp.Decode(f.Payload)
		d.Protocol = model.CDP
	case wire.FDP:
		d, err = cdp.DecodeFDP(f.Payload)
		d.Protocol = model.FDP
	}
	if err == nil {
		d.SourceMAC, d.FrameVLAN = wire.MAC(f.Source[:]), f.VLAN
	}
	return d, err
}
