package quick

import "hash/maphash"

// Sizes of Texts.
const (
	textsKept   = 512 // texts, at most
	longestText = 256 // bytes; longer ones are not kept
)

// Texts remembers texts that have come, so that those which come again share memory: the
// documents of a host repeat most of theirs. The zero value is ready. It belongs to one
// goroutine at a time.
type Texts struct {
	seed maphash.Seed
	kept []string // each where its hash says, the newest
}

// of is a text that has the memory of nothing else. With nil nothing is remembered.
func (t *Texts) of(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if t == nil || len(text) > longestText {
		return string(text)
	}
	if t.kept == nil {
		t.seed, t.kept = maphash.MakeSeed(), make([]string, textsKept)
	}
	at := maphash.Bytes(t.seed, text) % textsKept
	if t.kept[at] != string(text) {
		t.kept[at] = string(text)
	}
	return t.kept[at]
}
