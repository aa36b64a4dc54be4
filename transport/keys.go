package transport

import (
	"crypto/cipher"
	"fmt"

	"cassini/model"
	"cassini/model/wire"
)

// maxSenders of one ring whose windows are remembered.
const maxSenders = 1024

// ringKeys are a ring's keys, with what was derived of them.
type ringKeys struct {
	ring    model.RingID
	set     wire.Set
	keys    model.KeySet
	tags    map[uint8]wire.TagKey
	seals   map[sealing]cipher.AEAD
	windows map[string]*window
}

type sealing struct {
	key      uint8
	from, to string
}

// window is what came of one sender's life.
type window struct {
	life   model.Incarnation
	window wire.Window
}

func newRingKeys(ring model.RingID, keys model.KeySet) *ringKeys {
	k := &ringKeys{ring: ring, set: wire.RingSet(ring), keys: keys, tags: make(map[uint8]wire.TagKey), seals: make(map[sealing]cipher.AEAD), windows: make(map[string]*window)}
	for _, key := range keys.Keys {
		k.tags[key.ID] = wire.RingTagKey(key.Secret, ring)
	}
	return k
}

// maxSeals of a ring that are kept ready.
const maxSeals = 256

func (k *ringKeys) seal(id uint8, from, to string) (cipher.AEAD, error) {
	at := sealing{id, from, to}
	if aead := k.seals[at]; aead != nil {
		return aead, nil
	}
	key, ok := k.keys.Find(id)
	if !ok {
		return nil, fmt.Errorf("key %d of %s: %w", id, k.ring, wire.ErrKey)
	}
	if len(k.seals) == maxSeals {
		clear(k.seals)
	}
	k.seals[at] = wire.SealKey(key.Secret, k.ring, from, to)
	return k.seals[at], nil
}

// fresh says whether a sender's datagram is of its latest life and has not come before.
func (k *ringKeys) fresh(sender string, h wire.Header) bool {
	w := k.windows[sender]
	switch {
	case w == nil && len(k.windows) == maxSenders:
		clear(k.windows) // a ring has fewer members: who asks has its keys and misuses them
		fallthrough
	case w == nil:
		w = &window{life: h.Incarnation}
		k.windows[sender] = w
	case h.Incarnation < w.life:
		return false
	case h.Incarnation > w.life:
		*w = window{life: h.Incarnation}
	}
	return w.window.Take(h.Nonce)
}

// beating are the key and number of heartbeats from one host to another.
type beating struct {
	set wire.Set
	id  uint8
	tag wire.TagKey
}

func newBeating(ring model.RingID, keys model.KeySet, from, to string) (beating, error) {
	key, ok := keys.Sending()
	if !ok {
		return beating{}, fmt.Errorf("key %d of %s: %w", keys.Current, ring, wire.ErrKey)
	}
	return beating{set: wire.LinkSet(ring, from, to), id: key.ID, tag: wire.LinkTagKey(key.Secret, ring, from, to)}, nil
}
