package frametest

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// Named is a whole Ethernet frame.
type Named struct {
	Name string
	Data []byte
}

// Organisations, as TLVs begin with.
const (
	Dot1  = "0080c2"
	Dot3  = "00120f"
	MED   = "0012bb"
	Cisco = "000142"
)

// source is who sends the frames.
var source = Hex("02 00 5e 00 53 01")

// Hex is bytes written in hex; blanks do not count.
func Hex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err) // a mistake in a test
	}
	return b
}

// TLV is one of LLDP's.
func TLV(kind int, value ...[]byte) []byte {
	v := slices.Concat(value...)
	return append(binary.BigEndian.AppendUint16(nil, uint16(kind<<9|len(v))), v...)
}

// Org is one of an organisation.
func Org(oui string, subtype byte, value ...[]byte) []byte {
	return TLV(127, Hex(oui), []byte{subtype}, slices.Concat(value...))
}

// LLDP is a frame of TLVs after the three mandatory ones, ended.
func LLDP(tlvs ...[]byte) []byte {
	return LLDPDU(slices.Concat(Mandatory(), slices.Concat(tlvs...), TLV(0)))
}

// Mandatory is a chassis by MAC, a port by name, and a TTL of 120 s.
func Mandatory() []byte {
	return slices.Concat(TLV(1, Hex("04"), source), TLV(2, []byte("\x05eth0")), TLV(3, Hex("0078")))
}

// LLDPDU frames a message of LLDP.
func LLDPDU(payload []byte) []byte {
	return slices.Concat(Hex("0180c200000e"), source, Hex("88cc"), payload)
}

// Tagged puts tags, each an EtherType and a VLAN, between addresses and the rest.
func Tagged(frame []byte, tags ...string) []byte {
	return slices.Concat(frame[:12], Hex(strings.Join(tags, "")), frame[12:])
}

// CDPTLV is one of CDP's.
func CDPTLV(kind uint16, value ...[]byte) []byte {
	v := slices.Concat(value...)
	head := binary.BigEndian.AppendUint16(nil, kind)
	return append(binary.BigEndian.AppendUint16(head, uint16(len(v)+4)), v...)
}

// CDP is a frame of a device id and further TLVs, with a right checksum.
func CDP(version byte, tlvs ...[]byte) []byte {
	return CDPDU(slices.Concat([]byte{version, 180, 0, 0}, CDPTLV(1, []byte("switch.example")), slices.Concat(tlvs...)))
}

// CDPDU frames a message of CDP after it has set the checksum.
func CDPDU(payload []byte) []byte {
	if len(payload) >= 4 {
		binary.BigEndian.PutUint16(payload[2:], checksum(payload))
	}
	body := append(Hex("aaaa03 00000c 2000"), payload...)
	frame := binary.BigEndian.AppendUint16(append(Hex("01000ccccccc"), source...), uint16(len(body)))
	return append(frame, body...)
}

// checksum as Wireshark describes Cisco's: the last byte of an odd message goes
// into a word of its own, with both halves one less if its highest bit is set.
func checksum(payload []byte) uint16 {
	b := slices.Clone(payload)
	if n := len(b); n%2 == 1 {
		last := b[n-1]
		b[n-1] = 0
		b = append(b, last)
		if last&0x80 != 0 {
			b[n]--
			b[n-1]--
		}
	}
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 + uint32(b[i+1])
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
