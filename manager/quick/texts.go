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
	seed  maphash.Seed
	kept  []string // each where its hash says, the newest
	lists []string // of texts, one after the other
}

// mostInLists bounds the memory of lists that is kept.
const mostInLists = 1 << 14

// Again is told before documents are decoded when those before are done with.
func (t *Texts) Again() {
	if t.lists = t.lists[:0]; cap(t.lists) > mostInLists {
		t.lists = nil
	}
}

// room is for another list, which is to be taken next.
func (t *Texts) room() []string {
	if t == nil {
		return make([]string, 0, 4)
	}
	return t.lists[len(t.lists):]
}

// take makes the room that a list has its own.
func (t *Texts) take(list []string) []string {
	if t == nil {
		return list
	}
	if cap(list) > 0 && cap(list) == cap(t.lists)-len(t.lists) { // it did not outgrow its room
		t.lists = t.lists[:len(t.lists)+len(list)]
	} else {
		t.lists = append(make([]string, 0, 2*cap(t.lists)+16), list...)
		list = t.lists
	}
	return list[:len(list):len(list)]
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
