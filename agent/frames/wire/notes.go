package wire

import (
	"fmt"

	"cassini/model"
)

// Bounds of what a decoder keeps beside the fields it knows.
const (
	MaxProblems = 16
	MaxUnknown  = 64
)

// Problem notes that a part of a frame was wrong, unless enough is noted. The text
// must not hold more than numbers of what was sent.
func Problem(d *model.Discovery, format string, args ...any) {
	if len(d.Problems) < MaxProblems {
		d.Problems = append(d.Problems, fmt.Sprintf(format, args...))
	}
}

// Unknown keeps a TLV raw, unless enough are kept, which is a problem.
func Unknown(d *model.Discovery, raw model.RawTLV) {
	if len(d.Unknown) < MaxUnknown {
		d.Unknown = append(d.Unknown, raw)
		return
	}
	const text = "more unknown TLVs than are kept"
	if n := len(d.Problems); n == 0 || d.Problems[n-1] != text {
		Problem(d, text)
	}
}

// Bits names the bits that are set, names[0] being bit 0. A bit without a name is
// "bit-11".
func Bits(set uint32, names ...string) []string {
	var out []string
	for i := range 32 {
		switch {
		case set&(1<<i) == 0:
		case i < len(names):
			out = append(out, names[i])
		default:
			out = append(out, fmt.Sprintf("bit-%d", i))
		}
	}
	return out
}
