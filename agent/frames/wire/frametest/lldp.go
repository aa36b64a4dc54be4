package frametest

import (
	"fmt"
	"slices"
)

// IDs are LLDP frames with every kind of chassis and port id.
func IDs() (frames []Named) {
	chassis := []string{"01 4368617373697331", "02 616c696173", "03 506f7274", "04 001122334455", "05 01 c0000201",
		"05 02 20010db8000000000000000000000001", "06 65746830", "07 6c6f63616c", "07 0001fe"}
	ports := []string{"01 616c696173", "02 506f7274", "03 001122334455", "04 01 c0000202",
		"04 02 20010db8000000000000000000000002", "05 4769302f31", "06 636972637569742d31", "07 33"}
	for _, c := range chassis {
		frames = append(frames, Named{"chassis " + c, LLDPDU(slices.Concat(TLV(1, Hex(c)), TLV(2, Hex("0531")), TLV(3, Hex("0001")), TLV(0)))})
	}
	for _, p := range ports {
		frames = append(frames, Named{"port " + p, LLDPDU(slices.Concat(TLV(1, Hex("0731")), TLV(2, Hex(p)), TLV(3, Hex("ffff")), TLV(0)))})
	}
	return frames
}

// Full are LLDP frames with every TLV that is read.
func Full() []Named {
	return slices.Concat(IDs(), basic(), dot1(), dot3(), med(), framings())
}

func basic() []Named {
	return []Named{
		{"basic", LLDP(TLV(4, []byte("uplink to core")), TLV(5, []byte("leaf-1.example")), TLV(6, []byte("ExampleOS 1.2\nline two")),
			TLV(7, Hex("ffff 5555")))},
		{"basic, empty texts", LLDP(TLV(4), TLV(5), TLV(6))},
		{"basic, UTF-8", LLDP(TLV(5, []byte("schränkle-7")), TLV(4, []byte("порт")))},
		{"goodbye", LLDPDU(slices.Concat(TLV(1, Hex("04"), source), TLV(2, []byte("\x05eth0")), TLV(3, Hex("0000")), TLV(0)))},
		{"no end", LLDPDU(Mandatory())},
		{"management", LLDP(
			TLV(8, Hex("05 01 c0000201 02 00000011 00")),
			TLV(8, Hex("11 02 20010db8000000000000000000000001 03 0000ffff 08 2b06010401094e4e")),
			TLV(8, Hex("07 06 001122334455 01 00000000 00")),
			TLV(8, Hex("04 03 470005 02 ffffffff 09 2b060104018237816e")))},
		{"reserved types", LLDP(TLV(9, Hex("0102")), TLV(126, Hex("ff")), TLV(60))},
		{"other organisations", LLDP(Org(Cisco, 1, Hex("0f")), Org("aabbcc", 9, []byte("x")), Org("aabbcc", 0))},
	}
}

func dot1() []Named {
	return []Named{
		{"802.1", LLDP(Org(Dot1, 1, Hex("0064")), Org(Dot1, 2, Hex("06 0064")), Org(Dot1, 2, Hex("02 00c8")), Org(Dot1, 2, Hex("04 0fff")),
			Org(Dot1, 3, Hex("0064 05"), []byte("users")), Org(Dot1, 3, Hex("00c8 07"), []byte("servers")), Org(Dot1, 3, Hex("0001 00")),
			Org(Dot1, 4, Hex("08 0026424203000002")), Org(Dot1, 4, Hex("02 888e")), Org(Dot1, 6, Hex("0fa0")),
			Org(Dot1, 7, Hex("03 00000005")))},
		{"802.1 aggregation alone", LLDP(Org(Dot1, 7, Hex("01 00000000")))},
		{"802.1 not read", LLDP(Org(Dot1, 5, Hex("01020304")), Org(Dot1, 11, Hex("0801")))},
	}
}

func dot3() (frames []Named) {
	frames = []Named{
		{"802.3", LLDP(Org(Dot3, 1, Hex("03 ffff 001e")), Org(Dot3, 3, Hex("03 00000007")), Org(Dot3, 4, Hex("23f0")))},
		{"802.3 and 802.1 aggregation", LLDP(Org(Dot1, 7, Hex("03 00000001")), Org(Dot3, 3, Hex("00 00000000")))},
		{"802.3 not read", LLDP(Org(Dot3, 5, Hex("00110011001100110011")), Org(Dot3, 7, Hex("0007")))},
		{"power of 2005", LLDP(Org(Dot3, 2, Hex("0f 01 04")))},
		{"power, PSE", LLDP(Org(Dot3, 2, Hex("0f 02 05 11 00ff 00fe")))},
		{"power, PD", LLDP(Org(Dot3, 2, Hex("00 01 05 53 0082 0082")))},
		{"power, PD of type 1", LLDP(Org(Dot3, 2, Hex("00 01 03 f2 0041 0041")))},
		{"power, 802.3bt", LLDP(Org(Dot3, 2, Hex("07 01 05 12 02bc 02bc 0102 0103 0104 0105 a5a5 05 0384 05 740010")))},
	}
	for bit := range 16 {
		value := Hex(fmt.Sprintf("01 %04x %04x", 1<<bit, bit*7))
		frames = append(frames, Named{fmt.Sprintf("autonegotiation bit %d", bit), LLDP(Org(Dot3, 1, value))})
	}
	return frames
}

func med() (frames []Named) {
	frames = []Named{
		{"MED", LLDP(Org(MED, 1, Hex("003f 03")), Org(MED, 4, Hex("50 0082")),
			Org(MED, 5, []byte("hw1")), Org(MED, 6, []byte("fw2")), Org(MED, 7, []byte("sw3")), Org(MED, 8, []byte("sn4")),
			Org(MED, 9, []byte("Example")), Org(MED, 10, []byte("Phone 5")), Org(MED, 11, []byte("asset6")))},
		{"MED locations", LLDP(Org(MED, 1, Hex("0004 04")), Org(MED, 3, Hex("01 524f28f5c2 52bd70a3d7 10c0000f00 01")),
			Org(MED, 3, Hex("02 18 01 4445"), Hex("00 02 6465"), Hex("03 06 4265726c696e"), Hex("18 05 3130313135"), Hex("c8 00")),
			Org(MED, 3, []byte("\x03+493012345678")))},
		{"MED location of no format", LLDP(Org(MED, 3, Hex("09 0102")))},
		{"MED not read", LLDP(Org(MED, 12, Hex("01")))},
	}
	for app := range 10 {
		value := Hex(fmt.Sprintf("%02x c065ae", app))
		if app%2 == 0 {
			value[1] = 0x1f
		}
		frames = append(frames, Named{fmt.Sprintf("MED application %d", app), LLDP(Org(MED, 1, Hex("0002 01")), Org(MED, 2, value), Org(MED, 2, value))})
	}
	for n := range 4 {
		value := Hex(fmt.Sprintf("%02x 0041", n%2<<6|n<<4|n))
		frames = append(frames, Named{fmt.Sprintf("MED power %d", n), LLDP(Org(MED, 1, Hex("0030 02")), Org(MED, 4, value))})
	}
	return frames
}

// framings put one message into every frame that may hold it.
func framings() []Named {
	plain := LLDP()
	snap := append(Hex("aaaa03 000000 88cc"), plain[14:]...)
	to := func(dest string, frame []byte) []byte { return append(Hex(dest), frame[6:]...) }
	return []Named{
		{"nearest customer bridge", to("0180c2000000", plain)},
		{"nearest non-TPMR bridge", to("0180c2000003", plain)},
		{"padded", append(slices.Clone(plain), make([]byte, 30)...)},
		{"tagged", Tagged(plain, "8100 0064")},
		{"priority tag", Tagged(plain, "8100 e000")},
		{"twice tagged", Tagged(plain, "88a8 00c8", "8100 0064")},
		{"SNAP", slices.Concat(plain[:12], []byte{0, byte(len(snap))}, snap)},
	}
}
