package lldp

import (
	"encoding/binary"
	"strconv"
	"strings"

	"cassini/model"
)

const (
	maxManagement = 64
	maxAddress    = 31
	maxOID        = 128
)

// Numberings of interfaces.
const (
	numberIfIndex = 2
	numberPort    = 3
)

// management reads: length, family, address, numbering, number, length, OID.
func (d *decoder) management(v []byte) {
	const name = "management address"
	if !d.enough(name, v, 1) || !d.enough(name, v, 1+int(v[0])+6) {
		return
	}
	if v[0] < 2 || v[0] > 1+maxAddress {
		d.problem("%s: address of %d bytes", name, int(v[0])-1)
		return
	}
	text, ok := address(v[1], v[2:1+v[0]])
	if !ok {
		d.problem("%s: address family %d with %d bytes", name, v[1], v[0]-1)
		return
	}
	m := model.ManagementAddress{Address: text}
	tail := v[1+v[0]:]
	m.InterfaceKind, m.Interface = numbering(tail[0]), binary.BigEndian.Uint32(tail[1:])
	if n := int(tail[5]); n > 0 {
		if m.OID, ok = objectID(tail[6:], n); !ok {
			d.problem("%s: object identifier malformed", name)
		}
	}
	if len(d.Management) == maxManagement {
		d.problem("%s: more than %d", name, maxManagement)
		return
	}
	d.Management = append(d.Management, m)
}

func numbering(subtype uint8) string {
	switch subtype {
	case numberIfIndex:
		return "ifindex"
	case numberPort:
		return "port"
	}
	return ""
}

// objectID reads the first n bytes as an object identifier in ASN.1's basic
// encoding, without its tag.
func objectID(b []byte, n int) (dotted string, ok bool) {
	if n > len(b) || n > maxOID {
		return "", false
	}
	var parts []string
	var arc uint64
	for i, o := range b[:n] {
		if arc>>57 != 0 {
			return "", false // would not fit
		}
		arc = arc<<7 | uint64(o&0x7f)
		if o&0x80 != 0 {
			if i == n-1 {
				return "", false
			}
			continue
		}
		if len(parts) == 0 {
			first := min(arc/40, 2)
			parts = append(parts, strconv.FormatUint(first, 10))
			arc -= 40 * first
		}
		parts = append(parts, strconv.FormatUint(arc, 10))
		arc = 0
	}
	return strings.Join(parts, "."), true
}
