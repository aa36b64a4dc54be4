package frametest

import (
	"os"
	"slices"
	"testing"

	"cassini/agent/frames/pcap"
	"cassini/agent/frames/wire"
)

// Payloads are the messages of a protocol in all frames that there are: those made
// here, and those of captures if there are any. They seed fuzzing.
func Payloads(tb testing.TB, proto wire.Proto) (payloads [][]byte) {
	tb.Helper()
	take := func(f wire.Frame, ok bool) {
		if ok && f.Proto == proto {
			payloads = append(payloads, slices.Clone(f.Payload))
		}
	}
	for _, frame := range slices.Concat(Full(), CDPFull(), FDPFull(), Hostile()) {
		take(wire.Unwrap(frame.Data))
	}
	for _, name := range Captures(tb) {
		file, err := os.Open(name)
		if err != nil {
			tb.Fatal(err)
		}
		err = pcap.Each(file, func(f pcap.Frame) error {
			take(f.Unwrap())
			return nil
		})
		file.Close()
		if err != nil {
			tb.Logf("seed of %s: %v", name, err)
		}
	}
	return payloads
}
