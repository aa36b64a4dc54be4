package cdp

import "encoding/binary"

// sum is the Internet checksum over a message with its checksum in place: 0 if it
// is right. Cisco's code puts an odd last byte in the lower half of its word, not
// in the upper, and adds it as a signed number; one that is negative comes out
// one less in each half.
func sum(b []byte) uint16 {
	var total uint32
	for ; len(b) >= 2; b = b[2:] {
		total += uint32(binary.BigEndian.Uint16(b))
		total = total&0xffff + total>>16
	}
	if len(b) == 1 {
		last := uint32(b[0])
		if last&0x80 != 0 {
			last = 0xff00 | (last - 1)
		}
		total += last
	}
	total = total&0xffff + total>>16
	total = total&0xffff + total>>16
	return ^uint16(total)
}
