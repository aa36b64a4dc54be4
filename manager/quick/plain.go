package quick

// plainText says whether JSON has a text as it is: printable ASCII without a quote or a
// backslash. It looks at eight bytes at a time: in a word of them, what is wrong sets the
// highest bit of a byte.
func plainText(s string) bool {
	for len(s) >= 8 {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		wrong := x | (x-each*' ')&^x | zero(x^each*'"') | zero(x^each*'\\') | zero(x^each*0x7f)
		if wrong&(each*0x80) != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// each has a one in each byte.
const each = 0x0101010101010101

// zero sets the highest bit of the lowest byte that is zero, and perhaps of others above it;
// it sets none where no byte is.
func zero(x uint64) uint64 { return (x - each) &^ x }
