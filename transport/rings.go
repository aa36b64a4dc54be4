package transport

import (
	"cassini/model"
	"cassini/model/wire"
)

// ringSets are the keys of rings by the numbers of their names in datagrams. Numbers have 32
// bits: among 100,000 rings one pair or so has the same, whose datagrams their tags tell apart.
type ringSets map[wire.Set]*ringKeys

// of are the keys of a ring, or nil.
func (all ringSets) of(ring model.RingID) *ringKeys {
	for k := all[wire.RingSet(ring)]; k != nil; k = k.next {
		if k.ring == ring {
			return k
		}
	}
	return nil
}

// put makes a ring's keys known, or takes others. What was heard by the old ones is remembered.
func (all ringSets) put(k *ringKeys) {
	if old := all.of(k.ring); old != nil {
		k.first, k.windows, k.heard = old.first, old.windows, old.heard
		all.drop(k.ring)
	}
	k.next = all[k.set]
	all[k.set] = k
}

func (all ringSets) drop(ring model.RingID) {
	set := wire.RingSet(ring)
	var kept *ringKeys
	for k := all[set]; k != nil; {
		next := k.next
		if k.ring != ring {
			k.next, kept = kept, k
		}
		k = next
	}
	if all[set] = kept; kept == nil {
		delete(all, set)
	}
}

// tagged are the keys of the ring that a header is of, as its tag tells. Errors are
// errUnknownSet, wire.ErrKey or wire.ErrForged.
func (all ringSets) tagged(b []byte, h wire.Header) (*ringKeys, error) {
	err := errUnknownSet
	for k := all[h.Set]; k != nil; k = k.next {
		tag, ok := k.tag(h.Key)
		if !ok {
			err = wire.ErrKey
			continue
		}
		if err = wire.CheckTag(b, tag); err == nil {
			return k, nil
		}
	}
	return nil, err
}
