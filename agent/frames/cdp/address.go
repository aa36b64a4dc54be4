package cdp

import (
	"encoding/binary"
	"fmt"

	"cassini/agent/frames/wire"
)

// Protocols of addresses: an NLPID, or an EtherType behind LLC/SNAP.
const (
	protoIPv4 = "\xcc"
	protoIPv6 = "\xaa\xaa\x03\x00\x00\x00\x86\xdd"
	snapIPv4  = "\xaa\xaa\x03\x00\x00\x00\x08\x00"
)

const maxAddresses = 64

// addresses reads: a count, and addresses as far as there are any.
func (d *decoder) addresses(name string, v []byte) (list []string) {
	if !d.enough(name, v, 4) {
		return nil
	}
	count := binary.BigEndian.Uint32(v)
	v = v[4:]
	for i := range count {
		if i == maxAddresses {
			d.problem("%s: more than %d", name, maxAddresses)
			return list
		}
		proto, addr, rest, ok := nextAddress(v)
		if !ok {
			d.problem("%s: %d are there of %d", name, i, count)
			return list
		}
		list = append(list, address(proto, addr))
		v = rest
	}
	return list
}

// nextAddress splits off: type and length of a protocol, the protocol, the length
// of an address, the address.
func nextAddress(v []byte) (proto, addr, rest []byte, ok bool) {
	if len(v) < 2 || len(v) < 4+int(v[1]) {
		return nil, nil, nil, false
	}
	proto, v = v[2:2+v[1]], v[2+v[1]:]
	length := int(binary.BigEndian.Uint16(v))
	if v = v[2:]; length > len(v) {
		return nil, nil, nil, false
	}
	return proto, v[:length], v[length:], true
}

// address writes one; those of another protocol in hex.
func address(proto, addr []byte) string {
	is4 := string(proto) == protoIPv4 || string(proto) == snapIPv4
	if is4 && len(addr) == 4 || string(proto) == protoIPv6 && len(addr) == 16 {
		text, _ := wire.IP(addr)
		return text
	}
	return fmt.Sprintf("%x", addr)
}
