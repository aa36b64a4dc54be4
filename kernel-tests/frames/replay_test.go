package frames

import (
	"os"
	"path/filepath"
	"testing"

	"cassini/agent/frames/pcap"
	"cassini/agent/frames/wire/frametest"
	"cassini/manager/graph"
	"cassini/model"
)

// replayed bounds the neighbors of one capture: an interface keeps no more.
const replayed = 16

// Frames of real devices, put on a cable: what is heard there is what cassini decode
// tells of the file.
func TestCapturesOnACable(t *testing.T) {
	files := frametest.Captures(t)
	if len(files) == 0 {
		t.Skip("NOT RUN: no captures; set CASSINI_PCAP to a folder of them")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			frames, want := readCapture(t, file)
			if len(want) == 0 {
				t.Log("no whole Ethernet frame of a neighbor")
				return
			}
			sw, host := machine(t, "sw"), machine(t, "host")
			cable(t, host, "eth0", sw, "p1")
			ip(t, "-n "+host+" link set eth0 mtu 9000")
			ip(t, "-n "+sw+" link set p1 mtu 9000")
			e := newEstate(t, host)
			eventually(t, "listening", func() bool { return e.hosts[host].Stats().Links == 1 })
			for key, d := range want {
				send(t, sw, "p1", frames[key])
				eventually(t, "the neighbor "+key, func() bool {
					for _, p := range e.Ports(graph.PortFilter{}) {
						if keyOf(*p.Neighbor) == key && p.Neighbor.SystemDescr == d.SystemDescr && p.Neighbor.TTL == d.TTL {
							return true
						}
					}
					return false
				})
			}
		})
	}
}

func keyOf(d model.Discovery) string {
	return d.Protocol + " " + d.Chassis.ID + " " + d.Port.ID
}

// readCapture finds the last frame of each neighbor that a capture tells of, up to the
// bound; goodbyes and what cannot be read are left out.
func readCapture(t *testing.T, file string) (frames map[string][]byte, want map[string]model.Discovery) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	frames, want = make(map[string][]byte), make(map[string]model.Discovery)
	err = pcap.Each(in, func(f pcap.Frame) error {
		d, ok, err := f.Discovery()
		if !ok || err != nil || d.TTL == 0 || len(f.Data) < f.Length || f.Link != pcap.Ethernet {
			return nil
		}
		key := keyOf(d)
		if _, known := want[key]; known || len(want) < replayed {
			want[key], frames[key] = d, append([]byte(nil), f.Data...)
		}
		return nil
	})
	if err != nil {
		t.Logf("read so far: %v", err)
	}
	return frames, want
}
