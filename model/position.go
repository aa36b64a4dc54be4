package model

import "cmp"

// Position is where a document stands in all that the agents of one host ever put into
// their outbox. The zero position stands before all.
type Position struct {
	// Incarnation numbers the lives of the outbox, which are not those of the agent on
	// rings: it only rises, or else the manager tells.
	Incarnation Incarnation `json:"incarnation"`
	// Sequence numbers the documents of one life, from 1 on.
	Sequence uint64 `json:"sequence"`
}

// Compare is negative where p stands before q, 0 where they are the same.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Incarnation, q.Incarnation), cmp.Compare(p.Sequence, q.Sequence))
}

// Plus is the position n documents on.
func (p Position) Plus(n int) Position {
	return Position{p.Incarnation, p.Sequence + uint64(n)}
}

// Batch is documents of one host on their way to the manager.
type Batch struct {
	Host string
	// First is where the first document stands; those that follow stand right behind it.
	// Zero says that they are not numbered.
	First     Position
	Documents []Document
	// Check, if set, is for the manager to compare with what it then has.
	Check *Check
}

// Last is where the last document stands; zero where they are not numbered.
func (b Batch) Last() Position {
	if b.First == (Position{}) || len(b.Documents) == 0 {
		return Position{}
	}
	return b.First.Plus(len(b.Documents) - 1)
}

// Receipt is what the manager says of a batch that is durable.
type Receipt struct {
	// Last is how far the documents of the host have come; zero where they are not numbered.
	Last Position `json:"last,omitzero"`
	// Known is how many of the batch had come before, and count once.
	Known int `json:"known,omitempty"`
	// Gap says that documents before the batch have not come.
	Gap bool `json:"gap,omitempty"`
	// Compared says that the batch's Check was compared with what the manager has, Differs
	// that it is something else.
	Compared bool `json:"compared,omitempty"`
	Differs  bool `json:"differs,omitempty"`
}

// After is what becomes of a batch where the documents of its host have come to last.
func (b Batch) After(last Position) Receipt {
	r := Receipt{Last: b.Last()}
	switch first := b.First; {
	case r.Last.Compare(last) <= 0: // sent again, or from a life that is over
		return Receipt{Last: last, Known: len(b.Documents)}
	case first.Incarnation == last.Incarnation && first.Sequence <= last.Sequence:
		r.Known = int(last.Sequence - first.Sequence + 1)
	case first.Incarnation == last.Incarnation:
		r.Gap = first.Sequence > last.Sequence+1
	default:
		r.Gap = first.Sequence > 1
	}
	return r
}
