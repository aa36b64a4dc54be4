package wire

// words of a window, and the nonces of each.
const (
	words     = 8
	wordBits  = 4
	wordNonce = 1 << wordBits
)

// Window takes each nonce once. Of the latest 112 it takes every one that it has not
// yet seen; older ones it refuses once a later one fell on their word. It is the same
// as the kernel's, which changes each word by one compare and swap: a word is a block's
// number and a bit for each of its 16 nonces, so that it only grows (cf. the blocks of
// RFC 6479).
type Window [words]uint64

// Take says whether the nonce is fresh, and remembers it.
func (w *Window) Take(nonce uint64) bool {
	block := nonce >> wordBits
	bit := uint64(1) << (nonce % wordNonce)
	word := &w[block%words]
	switch known := *word >> wordNonce; {
	case block < known:
		return false
	case block > known:
		*word = block<<wordNonce | bit
		return true
	case *word&bit != 0:
		return false
	}
	*word |= bit
	return true
}
