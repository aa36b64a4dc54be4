package frametest

// CDPFull are CDP frames with every TLV that is read.
func CDPFull() []Named {
	v4, v6 := Hex("01 01 cc 0004 c0000201"), Hex("02 08 aaaa0300000086dd 0010 20010db8000000000000000000000001")
	port := CDPTLV(3, []byte("GigabitEthernet1/0/1"))
	full := CDP(2, CDPTLV(2, Hex("00000002"), v4, v6), port, CDPTLV(4, Hex("000007ff")), CDPTLV(5, []byte("ExampleOS 15.2\nline two")),
		CDPTLV(6, []byte("example WS-1")), CDPTLV(8, Hex("00000c0112 00000000ffffffff010220ff000000000000000bbe189a40ff0001")),
		CDPTLV(9, []byte("vtp.example")), CDPTLV(10, Hex("0064")), CDPTLV(11, Hex("01")), CDPTLV(14, Hex("01 00c8")),
		CDPTLV(16, Hex("1838")), CDPTLV(17, Hex("000005dc")), CDPTLV(18, Hex("01")), CDPTLV(19, Hex("02")),
		CDPTLV(20, []byte("switch-1")), CDPTLV(21, Hex("060a2b06010401090c038459")), CDPTLV(22, Hex("00000001"), v4),
		CDPTLV(23, Hex("00"), []byte("rack 7")), CDPTLV(25, Hex("0001 0002 00003c8c 00001e46")), CDPTLV(26, Hex("0001 0002 00007530 ffffffff")))
	return []Named{
		{"CDP full", full},
		{"CDP full, tagged", Tagged(full, "8100 0064")},
		{"CDPv1", CDP(1, port, CDPTLV(4, Hex("00000001")), CDPTLV(5, []byte("OS")), CDPTLV(6, []byte("cisco")))},
		{"CDP half duplex", CDP(2, port, CDPTLV(11, Hex("00")))},
		{"CDP odd, low last byte", CDP(2, port, CDPTLV(9, Hex("41 42 7f")), CDPTLV(18, Hex("7f")))},
		{"CDP odd, high last byte", CDP(2, port, CDPTLV(10, Hex("0001")), CDPTLV(0x1000, Hex("01 80")), CDPTLV(18, Hex("80")))},
		{"CDP odd, last byte 255", CDP(2, port, CDPTLV(0x1001, Hex("ff ff ff")), CDPTLV(19, Hex("ff")))},
		{"CDP no addresses", CDP(2, port, CDPTLV(2, Hex("00000000")), CDPTLV(22, Hex("00000000")))},
		{"CDP unknown", CDP(2, port, CDPTLV(7, Hex("c0000200 18")), CDPTLV(0x1b, Hex("00")), CDPTLV(0x1f, Hex("00")), CDPTLV(0x7777, Hex("0102")))},
	}
}
