package pcap

import (
	"cassini/agent/frames/cdp"
	"cassini/agent/frames/lldp"
	"cassini/agent/frames/wire"
	"cassini/model"
)

// Discovery reads the frame as LLDP or CDP. ok is false if it is neither; the
// errors are those of the two decoders.
func (f Frame) Discovery() (d model.Discovery, ok bool, err error) {
	w, ok := f.Unwrap()
	if !ok {
		return model.Discovery{}, false, nil
	}
	switch w.Proto {
	case wire.LLDP:
		d, err = lldp.Decode(w.Payload)
	case wire.CDP:
		d, err = cdp.Decode(w.Payload)
	}
	if err == nil {
		d.SourceMAC, d.FrameVLAN = wire.MAC(w.Source[:]), w.VLAN
	}
	return d, true, err
}
