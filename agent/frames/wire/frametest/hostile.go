package frametest

import (
	"bytes"
	"slices"
)

// Hostile are frames that want to do harm, or are broken.
func Hostile() []Named {
	many := bytes.Repeat(Org("aabbcc", 1, Hex("00")), 150)
	return []Named{
		{"empty", nil},
		{"addresses only", make([]byte, 12)},
		{"tag cut off", append(make([]byte, 12), 0x81, 0x00)},
		{"five tags", Tagged(LLDP(), "81000001", "81000002", "81000003", "81000004", "81000005")},
		{"no TLVs", LLDPDU(nil)},
		{"end first", LLDPDU(TLV(0))},
		{"TLV past the end", LLDPDU(append(Mandatory(), 0xff, 0xff, 0, 0x80, 0xc2, 1))},
		{"half a head", LLDPDU(append(Mandatory(), 0xfe))},
		{"chassis again", LLDP(TLV(1, Hex("0731")))},
		{"unknown TLVs", LLDP(many)},
		{"texts of nonsense", LLDP(TLV(5, Hex("1b5b324a 00 ff fe c2 0a 0d")), TLV(6, bytes.Repeat([]byte{0xff}, 511)))},
		{"everything twice", LLDP(slices.Concat(optional()...), slices.Concat(optional()...))},
		{"every TLV empty", LLDP(slices.Concat(empty()...))},
		{"civic past the end", LLDP(Org(MED, 3, Hex("02 07 02 5553 01ff41")))},
		{"civic length 1", LLDP(Org(MED, 3, Hex("02 01 02 5553 0101")))},
		{"management address of 255 bytes", LLDP(TLV(8, Hex("ff"), make([]byte, 300)))},
		{"management OID past the end", LLDP(TLV(8, Hex("05 01 c0000201 02 00000001 80 2b")))},
		{"VLAN name past the end", LLDP(Org(Dot1, 3, Hex("0001 ff 41")))},
		{"CDP length 0", CDP(2, Hex("0003 0000"))},
		{"CDP past the end", CDP(2, Hex("0003 ffff 41"))},
		{"CDP addresses without number", CDP(2, CDPTLV(2, Hex("ffffffff 01 01 cc 0004 c0000201")))},
		{"CDP address past the end", CDP(2, CDPTLV(2, Hex("00000001 01 ff cc")))},
		{"CDP header only", CDPDU(Hex("02b40000"))},
		{"CDP half a header", CDPDU(Hex("02b4"))},
		{"CDP every TLV empty", CDP(2, slices.Concat(emptyCDP()...))},
		{"CDP port one short", CDP(2, Hex("0003 0005 65746830"), CDPTLV(10, Hex("0001")))},
	}
}

func optional() (tlvs [][]byte) {
	return [][]byte{TLV(4, Hex("41")), TLV(5, Hex("42")), TLV(6, Hex("43")), TLV(7, Hex("00040004")),
		Org(Dot1, 1, Hex("0001")), Org(Dot1, 6, Hex("0001")), Org(Dot1, 7, Hex("0100000000")),
		Org(Dot3, 1, Hex("0100000001")), Org(Dot3, 2, Hex("000000")), Org(Dot3, 3, Hex("0100000000")), Org(Dot3, 4, Hex("05dc")),
		Org(MED, 1, Hex("000101")), Org(MED, 4, Hex("000001")), Org(MED, 5, Hex("41")), Org(MED, 3, Hex("02 03 02 5553"))}
}

func empty() (tlvs [][]byte) {
	for kind := 4; kind <= 9; kind++ {
		tlvs = append(tlvs, TLV(kind))
	}
	for _, oui := range []string{Dot1, Dot3, MED} {
		for subtype := range byte(13) {
			tlvs = append(tlvs, Org(oui, subtype))
		}
	}
	return append(tlvs, TLV(127), TLV(127, Hex("0080c2")))
}

func emptyCDP() (tlvs [][]byte) {
	for kind := range uint16(32) {
		tlvs = append(tlvs, CDPTLV(kind))
	}
	return tlvs
}
