package pcap_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"cassini/agent/frames/pcap"
	"cassini/agent/frames/wire"
	"cassini/agent/frames/wire/frametest"
	"cassini/model"
)

// TestCapturesAgainstTshark compares every field of every frame of a folder.
func TestCapturesAgainstTshark(t *testing.T) {
	files := frametest.Captures(t)
	if len(files) == 0 {
		t.Skip("NOT RUN: no captures; set CASSINI_PCAP to a folder of them")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { compareFile(t, file, nil) })
	}
}

// TestEveryTLVAgainstTshark does so with frames that bear all TLVs that are read.
func TestEveryTLVAgainstTshark(t *testing.T) {
	frames := slices.Concat(frametest.Full(), frametest.CDPFull(), frametest.FDPFull())
	file := filepath.Join(t.TempDir(), "all.pcap")
	if err := os.WriteFile(file, capture(t, frames), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := compareFile(t, file, frames); n != len(frames) {
		t.Errorf("%d frames are LLDP or CDP, want all of %d", n, len(frames))
	}
}

// capture writes frames as a pcap file.
func capture(t testing.TB, frames []frametest.Named) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pcapgo.NewWriter(&out)
	if err := w.WriteFileHeader(pcap.MaxFrame, layers.LinkTypeEthernet); err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		info := gopacket.CaptureInfo{Timestamp: time.Unix(int64(i), 0), CaptureLength: len(f.Data), Length: len(f.Data)}
		if err := w.WritePacket(info, f.Data); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// compareFile returns how many frames were LLDP or CDP.
func compareFile(t *testing.T, file string, named []frametest.Named) (compared int) {
	t.Helper()
	packets := tshark(t, file)
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	seen := 0
	err = pcap.Each(in, func(f pcap.Frame) error {
		if seen++; f.Number > len(packets) {
			return fmt.Errorf("frame %d: tshark has but %d", f.Number, len(packets))
		}
		name := fmt.Sprint("frame ", f.Number)
		if len(named) > 0 {
			name += ", " + named[f.Number-1].Name
		}
		if d, _, _ := f.Discovery(); len(named) > 0 && len(d.Problems) > 0 {
			t.Errorf("%s: problems %q", name, d.Problems)
		}
		if compareFrame(t, name, f, packets[f.Number-1]) {
			compared++
		}
		return nil
	})
	if err != nil || seen != len(packets) {
		t.Errorf("read %d frames, tshark %d; %v", seen, len(packets), err)
	}
	return compared
}

// compareFrame says whether the frame is one of ours.
func compareFrame(t *testing.T, name string, f pcap.Frame, packet field) bool {
	t.Helper()
	got, ok, err := f.Discovery()
	want, wanted := says(packet)
	if ok != wanted {
		t.Errorf("%s: found LLDP, CDP or FDP %v, tshark %v", name, ok, wanted)
	}
	if !ok || !wanted {
		return false
	}
	if packet.broken() && (err != nil || len(got.Problems) > 0) {
		t.Logf("%s: both find it broken: %v %q", name, err, got.Problems)
		return true
	}
	if err != nil {
		t.Errorf("%s: %v; tshark reads it", name, err)
		return true
	}
	compareChecksum(t, name, f, got, packet)
	got.Problems = nil
	if got.MED != nil && got.MED.Civic != nil {
		numbered(got.MED.Civic)
	}
	if got.MACPHY != nil {
		got.MACPHY.MAU = ownWord
	}
	for _, line := range differ(got, want) {
		t.Errorf("%s: %s", name, line)
	}
	return true
}

func compareChecksum(t *testing.T, name string, f pcap.Frame, got model.Discovery, packet field) {
	t.Helper()
	proto, ok := packet.proto("cdp")
	if !ok || len(f.Data) < f.Length {
		return
	}
	good := proto.number("cdp.checksum.status") == 1
	if bad := slices.Contains(got.Problems, "checksum is wrong"); bad == good {
		t.Errorf("%s: checksum wrong %v, tshark right %v", name, bad, good)
	}
}

// says is what tshark says of a frame; ok is false if it is none of ours.
func says(packet field) (d model.Discovery, ok bool) {
	if p, is := packet.proto("lldp"); is {
		d, ok = lldpSays(p), true
	} else if p, is := packet.proto("cdp"); is {
		d, ok = cdpSays(p), true
	} else if p, is := packet.proto("fdp"); is {
		d, ok = fdpSays(p), true
	} else {
		return d, false
	}
	for _, p := range packet.Protos {
		if p.Name == "eth" || p.Name == "sll" {
			for _, name := range []string{"eth.src", "sll.src.eth"} {
				if v, is := p.first(name); is {
					d.SourceMAC = wire.MAC(v.octets())
				}
			}
		}
	}
	for _, p := range packet.Protos {
		if p.Name == "vlan" || p.Name == "ieee8021ad" {
			d.FrameVLAN = uint16(p.number(p.Name + ".id"))
			break
		}
	}
	return d, ok
}

// differ lists the fields in which two answers differ.
func differ(got, want model.Discovery) (lines []string) {
	g, w := members(got), members(want)
	for name := range w {
		if g[name] != w[name] {
			lines = append(lines, fmt.Sprintf("%s is %s, tshark says %s", name, g[name], w[name]))
		}
	}
	for name := range g {
		if _, ok := w[name]; !ok {
			lines = append(lines, fmt.Sprintf("%s is %s, tshark says nothing", name, g[name]))
		}
	}
	slices.Sort(lines)
	return lines
}

func members(d model.Discovery) map[string]string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers alone
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		panic(err)
	}
	all := make(map[string]string)
	for name, value := range raw {
		all[name] = strings.TrimSpace(string(value))
	}
	return all
}
