package pcap_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cassini/agent/frames/pcap"
	"cassini/agent/frames/wire/frametest"
)

// TestMutatedAgainstTshark changes a byte of each of many frames. What is still
// without fault in our eyes must be the same in tshark's.
func TestMutatedAgainstTshark(t *testing.T) {
	const count = 4000
	whole := slices.Concat(frametest.Full(), frametest.CDPFull(), frametest.FDPFull())
	random := rand.New(rand.NewPCG(1, 2))
	var frames []frametest.Named
	for i := range count {
		base := whole[random.IntN(len(whole))]
		data, at := mutate(random, base.Data)
		d, ok, err := pcap.Frame{Link: pcap.Ethernet, Data: data}.Discovery()
		if ok && err == nil && len(d.Problems) == 0 {
			frames = append(frames, frametest.Named{Name: fmt.Sprintf("%s, change %d in byte %d", base.Name, i, at), Data: data})
		}
	}
	if len(frames) < count/4 {
		t.Fatalf("only %d of %d frames are left", len(frames), count)
	}
	file := filepath.Join(t.TempDir(), "mutated.pcap")
	if err := os.WriteFile(file, capture(t, frames), 0o600); err != nil {
		t.Fatal(err)
	}
	compareFile(t, file, frames)
}

// mutate changes one byte of the message; CDP's checksum is set again.
func mutate(random *rand.Rand, frame []byte) (changed []byte, at int) {
	const ethernet, snap = 14, 22
	changed = slices.Clone(frame)
	isCDP := frame[12] < 6 && frame[20] == 0x20
	if isCDP {
		at = snap + random.IntN(len(frame)-snap)
	} else {
		at = ethernet + random.IntN(len(frame)-ethernet)
	}
	changed[at] = byte(random.Uint32())
	if isCDP {
		return frametest.CDPDU(changed[snap:]), at
	}
	return changed, at
}
