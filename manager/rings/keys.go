package rings

import (
	"crypto/hkdf"
	"crypto/sha256"

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
	set := model.KeySet{Current: g.KeyID}
	for _, id := range []uint8{g.KeyID - 1, g.KeyID, g.KeyID + 1} {
		info := []byte{id}
		for _, name := range names {
			info = append(append(info, byte(len(name))), name...)
		}
		secret, err := hkdf.Key(sha256.New, g.Master[:], nil, "cassini ring 1 "+string(info), len(model.Secret{}))
		if err != nil {
			panic("rings: derive a key: " + err.Error()) // only of more than 8,160 bytes
		}
		set.Keys = append(set.Keys, model.RingKey{ID: id, Secret: model.Secret(secret)})
	}
	return set
}
