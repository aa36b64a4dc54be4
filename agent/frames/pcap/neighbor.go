package pcap

import (
	"cassini/agent/frames/discovery"
	"cassini/model"
)

// Discovery reads the frame as LLDP or CDP. ok is false if it is neither; the
// errors are those of the two decoders.
func (f Frame) Discovery() (d model.Discovery, ok bool, err error) {
	w, ok := f.Unwrap()
	if !ok {
		return model.Discovery{}, false, nil
	}
	d, err = discovery.Read(w)
	return d, true, err
}
