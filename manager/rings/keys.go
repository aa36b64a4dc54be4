package rings

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"cassini/model"
)

// schedule is what follows from a ring's master secret and generation.
type schedule struct {
	master     model.Secret
	generation uint64
	mac        hash.Hash // HMAC-SHA256 by what HKDF extracts of the master (RFC 5869, 2.2)
	ring       model.KeySet
	info       []byte       // of one key, in memory that is used again
	key        model.Secret // the newest that was made
}

// keys are the previous, the current and the next key of a ring.
func (g *Ring) keys() model.KeySet { return g.scheduled().ring }

// linkKeys are those of two neighbors alone.
func (g *Ring) linkKeys(a, b string) model.KeySet {
	if b < a {
		a, b = b, a
	}
	return g.scheduled().derived("link", a, b)
}

// scheduled is the schedule of the ring's master and generation, made anew when these have
// changed.
func (g *Ring) scheduled() *schedule {
	if s := g.schedule; s != nil && s.master == g.Master && s.generation == g.Generation {
		return s
	}
	extracted, err := hkdf.Extract(sha256.New, g.Master[:], nil)
	if err != nil {
		panic("rings: derive keys: " + err.Error()) // only under FIPS 140 with a hash that it forbids
	}
	s := &schedule{master: g.Master, generation: g.Generation, mac: hmac.New(sha256.New, extracted)}
	s.ring = s.derived("ring")
	g.schedule = s
	return s
}

func (s *schedule) derived(names ...string) model.KeySet {
	set := model.KeySet{Current: uint8(s.generation), Keys: make([]model.RingKey, 0, 3)}
	for _, generation := range []uint64{s.generation - 1, s.generation, s.generation + 1} {
		s.info = binary.AppendUvarint(append(s.info[:0], "cassini ring 1 "...), generation)
		for _, name := range names {
			s.info = append(append(s.info, byte(len(name))), name...)
		}
		set.Keys = append(set.Keys, model.RingKey{ID: uint8(generation), Secret: s.expand()})
	}
	return set
}

// expand is HKDF-Expand of RFC 5869, 2.3, for a key of one block. The state is used again:
// to begin it takes as long as all the rest, and a place has nine keys.
func (s *schedule) expand() model.Secret {
	s.info = append(s.info, 1)
	s.mac.Reset()
	s.mac.Write(s.info)
	s.mac.Sum(s.key[:0])
	return s.key
}
