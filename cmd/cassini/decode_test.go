package main

import (
	"bytes"
	le "encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cassini/agent/frames/wire/frametest"
)

// pcapFile writes frames as a capture of a link type, a second apart.
func pcapFile(link uint32, frames ...[]byte) []byte {
	out := frametest.Hex("d4c3b2a1 0200 0400 00000000 00000000 00000400")
	out = le.LittleEndian.AppendUint32(out, link)
	for i, f := range frames {
		for _, n := range []uint32{uint32(now.Unix()) + uint32(i), 0, uint32(len(f)), uint32(len(f))} {
			out = le.LittleEndian.AppendUint32(out, n)
		}
		out = append(out, f...)
	}
	return out
}

// decodeFrames are good, of something else, hostile, and broken.
func decodeFrames() [][]byte {
	tlv, hex := frametest.TLV, frametest.Hex
	return [][]byte{
		frametest.LLDP(tlv(5, []byte("leaf-1\x1b[31m.example")), tlv(8, hex("05 01 c0000201 02 00000011 00")), frametest.Org(frametest.Dot1, 1, hex("0064"))),
		make([]byte, 60),
		frametest.CDP(2, frametest.CDPTLV(3, []byte("Gi1/0/1")), frametest.CDPTLV(6, []byte("example WS-1")), frametest.CDPTLV(10, hex("0007"))),
		frametest.LLDP(tlv(7, hex("00"))),
		frametest.LLDPDU(tlv(0)),
	}
}

func writeCapture(t *testing.T, content []byte) string {
	t.Helper()
	t.Chdir(t.TempDir())
	const name = "switch.pcap"
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDecode(t *testing.T) {
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	name := writeCapture(t, pcapFile(1, decodeFrames()...))
	table, asJSON := cassini(t, nil, "decode", name), cassini(t, nil, "decode", name, "-o", "json")
	t.Chdir(folder)
	for suffix, got := range map[string]result{"": table, ".json": asJSON} {
		if got.code != 0 || got.stderr != "" {
			t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
		}
		golden(t, "decode"+suffix, got.stdout)
	}
	var frames []map[string]any
	if err := json.Unmarshal([]byte(asJSON.stdout), &frames); err != nil || len(frames) != 4 {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

func TestDecodeErrors(t *testing.T) {
	good := pcapFile(1, decodeFrames()...)
	for name, c := range map[string]struct {
		content []byte
		args    []string
		code    int
		stderr  string
		lines   int // on stdout
	}{
		"no file named": {nil, []string{"decode"}, 2, "want the FILE to read, or - for standard input; see", 0},
		"two files":     {nil, []string{"decode", "a", "b"}, 2, `unexpected argument "b" after "a"; see`, 0},
		"no file":       {nil, []string{"decode", "none.pcap"}, 1, "open none.pcap: no such file or directory", 0},
		"folder":        {nil, []string{"decode", "."}, 1, "read .: ", 0},
		"text":          {[]byte("this is no capture of any kind"), []string{"decode", "switch.pcap"}, 1, "read switch.pcap: not a capture file (pcap or pcapng)", 0},
		"cut off":       {good[:len(good)-1], []string{"decode", "switch.pcap"}, 1, "read switch.pcap: read frame 5: capture file is damaged or cut off: unexpected EOF", 4},
		"no frames":     {pcapFile(1), []string{"decode", "switch.pcap"}, 0, "no LLDP or CDP among the 0 frames of switch.pcap", 0},
		"none of ours":  {pcapFile(1, make([]byte, 60)), []string{"decode", "switch.pcap"}, 0, "no LLDP or CDP among the 1 frames of switch.pcap", 0},
		"other link":    {pcapFile(105, make([]byte, 60)), []string{"decode", "switch.pcap"}, 0, "switch.pcap: 1 of 1 frames are of link type 105, which is not read; want Ethernet or Linux cooked", 0},
	} {
		t.Run(name, func(t *testing.T) {
			writeCapture(t, c.content)
			got := cassini(t, nil, c.args...)
			if got.code != c.code || !strings.Contains(got.stderr, c.stderr) || strings.Count(got.stdout, "\n") != c.lines {
				t.Errorf("exit code %d, want %d; stderr %q, want %q; stdout %q", got.code, c.code, got.stderr, c.stderr, got.stdout)
			}
		})
	}
}

func TestDecodeStdin(t *testing.T) {
	for content, want := range map[string]string{
		string(pcapFile(1, decodeFrames()...)): "leaf-1",
		"nonsense":                             "cassini decode: read standard input: not a capture file",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "decode", "-")
		cmd.Env = []string{asCassini + "=1", "CASSINI_CONFIG=" + os.DevNull}
		cmd.Stdin = bytes.NewReader([]byte(content))
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// TestDecodeCaptures reads what lies beside the repository, if it does.
func TestDecodeCaptures(t *testing.T) {
	files := frametest.Captures(t)
	if len(files) == 0 {
		t.Skip("NOT RUN: no captures; set CASSINI_PCAP to a folder of them")
	}
	for _, file := range files {
		got := cassini(t, nil, "decode", file, "-o", "json")
		var frames []map[string]any
		if err := json.Unmarshal([]byte(got.stdout), &frames); err != nil || got.code != 0 {
			t.Errorf("%s: exit code %d, %d frames, %v %s", filepath.Base(file), got.code, len(frames), err, got.stderr)
		}
	}
}
