package frametest

import "slices"

// FDP makes a frame of CDP one of FDP.
func FDP(cdp []byte) []byte {
	frame := slices.Clone(cdp)
	copy(frame, Hex("01e052cccccc"))
	copy(frame[17:], Hex("00e052"))
	return frame
}

// FDPFull are FDP frames with every TLV that is read, and one that is not.
func FDPFull() []Named {
	return []Named{
		{"FDP", FDP(CDP(1, CDPTLV(3, []byte("ethernet1/1/7")), CDPTLV(4, []byte("Switch")), CDPTLV(5, []byte("ExampleOS 08.0")), CDPTLV(6, []byte("FCX648"))))},
		{"FDP with a TLV of its own", FDP(CDP(1, CDPTLV(3, []byte("ethernet1/1/8")), CDPTLV(0x1234)))},
	}
}
