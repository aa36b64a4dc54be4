// Package vendors tells who made a network card, by the registry of the IEEE
// Registration Authority that stands in registry.txt; make vendors writes it anew.
package vendors

import (
	_ "embed"
	"net"
	"sort"
	"strings"
)

// registry has a line for each assignment, "00000c Cisco Systems, Inc", sorted by
// prefix: hexadecimal, 24, 28 or 36 bits (MA-L, MA-M, MA-S).
//
//go:embed registry.txt
var registry string

// prefixes are lengths in digits, the smallest blocks first: what was given in smaller
// blocks may stand in a larger one.
var prefixes = [...]int{9, 7, 6}

// Of is who was given the block that a hardware address is of; "" when nobody was, and
// for an address that was made up on the spot (its locally administered bit is set).
func Of(mac string) string {
	hw, err := net.ParseMAC(mac)
	if err != nil || len(hw) != 6 || hw[0]&2 != 0 {
		return ""
	}
	digits := strings.ReplaceAll(hw.String(), ":", "")
	for _, n := range prefixes {
		if name, ok := assigned(digits[:n]); ok {
			return name
		}
	}
	return ""
}

// assigned finds the line of a prefix: a binary search over bytes, each time from the
// beginning of the line that they are in.
func assigned(prefix string) (string, bool) {
	want := prefix + " "
	after := sort.Search(len(registry), func(i int) bool { return lineAt(i) >= want })
	if after == len(registry) {
		return "", false
	}
	return strings.CutPrefix(lineAt(after), want)
}

// lineAt is the line that a byte is in.
func lineAt(i int) string {
	start := strings.LastIndexByte(registry[:i], '\n') + 1
	if end := strings.IndexByte(registry[i:], '\n'); end >= 0 {
		return registry[start : i+end]
	}
	return registry[start:]
}
