package pcap_test

import (
	"encoding/hex"
	"encoding/xml"
	"os/exec"
	"strconv"
	"testing"
)

// field is a node of what tshark says of a frame.
type field struct {
	Name   string  `xml:"name,attr"`
	Show   string  `xml:"show,attr"`
	Value  string  `xml:"value,attr"`
	Pos    int     `xml:"pos,attr"`
	Size   int     `xml:"size,attr"`
	Hide   string  `xml:"hide,attr"`
	Fields []field `xml:"field"`
	Protos []field `xml:"proto"`
}

// tshark asks it of every frame in a file.
func tshark(t *testing.T, file string) []field {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Fatal("tshark is missing; install it with: apt-get install --no-install-recommends tshark")
	}
	out, err := exec.CommandContext(t.Context(), path, "-n", "-r", file, "-T", "pdml").Output()
	if err != nil {
		t.Fatalf("tshark -r %s: %v", file, err)
	}
	var all struct {
		Packets []field `xml:"packet"`
	}
	if err := xml.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	return all.Packets
}

// proto is a protocol's part of a frame.
func (f field) proto(name string) (field, bool) {
	for _, p := range f.Protos {
		if p.Name == name {
			return p, true
		}
	}
	return field{}, false
}

// all are the fields of a name, in order, at any depth.
func (f field) all(name string) (found []field) {
	for _, c := range f.Fields {
		if c.Name == name {
			found = append(found, c)
		}
		found = append(found, c.all(name)...)
	}
	return found
}

func (f field) first(name string) (field, bool) {
	if found := f.all(name); len(found) > 0 {
		return found[0], true
	}
	return field{}, false
}

// number is the value of a field; 0 if there is none.
func (f field) number(name string) uint64 {
	c, _ := f.first(name)
	n, _ := strconv.ParseUint(c.Show, 0, 64)
	return n
}

func (f field) is(name string) bool { return f.number(name) != 0 }

// bytes is a field as it was on the wire.
func (f field) bytes(name string) []byte {
	c, _ := f.first(name)
	return c.octets()
}

func (f field) octets() []byte {
	b, _ := hex.DecodeString(f.Value)
	return b
}

// names are the words for the fields that are set, in order of the pairs.
func (f field) names(pairs ...string) (set []string) {
	for i := 0; i < len(pairs); i += 2 {
		if f.is(pairs[i]) {
			set = append(set, pairs[i+1])
		}
	}
	return set
}

// pick is a word by number, or the number where there is none.
func pick(words []string, n uint64) string {
	if n < uint64(len(words)) && words[n] != "" {
		return words[n]
	}
	return strconv.FormatUint(n, 10)
}

// broken says that tshark has found the frame malformed.
func (f field) broken() bool {
	if _, ok := f.proto("_ws.malformed"); ok {
		return true
	}
	const expertError = 8388608
	for _, p := range f.Protos {
		for _, e := range p.all("_ws.expert.severity") {
			if e.Show == strconv.Itoa(expertError) {
				return true
			}
		}
	}
	return false
}

// unnamed are the bits from one on that tshark has no fields for.
func unnamed(set uint64, from int) (names []string) {
	for i := from; i < 32; i++ {
		if set>>i&1 != 0 {
			names = append(names, "bit-"+strconv.Itoa(i))
		}
	}
	return names
}
