package rings

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"cassini/model"
)

// keys are the previous, the current and the next key of a ring.
func (g *Ring) keys() model.KeySet { return g.derived("ring") }

// linkKeys are those of two neighbors alone.
func (g *Ring) linkKeys(a, b string) model.KeySet {
	if b < a {
		a, b = b, a
	}
	return g.derived("link", a, b)
}

func (g *Ring) derived(names ...string) model.KeySet {
	set := model.KeySet{Current: uint8(g.Generation)}
	for _, generation := range []uint64{g.Generation - 1, g.Generation, g.Generation + 1} {
		info := binary.AppendUvarint(nil, generation)
		for _, name := range names {
			info = append(append(info, byte(len(name))), name...)
		}
		secret, err := hkdf.Key(sha256.New, g.Master[:], nil, "cassini ring 1 "+string(info), len(model.Secret{}))
		if err != nil {
			panic("rings: derive a key: " + err.Error()) // only of more than 8,160 bytes
		}
		set.Keys = append(set.Keys, model.RingKey{ID: uint8(generation), Secret: model.Secret(secret)})
	}
	return set
}
