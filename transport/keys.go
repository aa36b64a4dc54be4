package transport

import (
	"crypto/cipher"
	"fmt"
	"math"

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
	heard   uint64 // datagrams of all senders
}

type sealing struct {
	key      uint8
	from, to string
}

// window is what came of one sender's life.
type window struct {
	life   model.Incarnation
	window wire.Window
	heard  uint64 // when, counted in datagrams
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

// seal is what datagrams from one host to another are sealed with.
func (k *ringKeys) seal(at sealing) (cipher.AEAD, error) {
	aead, err := k.derive(at)
	if err == nil {
		k.ready(at, aead)
	}
	return aead, err
}

func (k *ringKeys) derive(at sealing) (cipher.AEAD, error) {
	if aead := k.seals[at]; aead != nil {
		return aead, nil
	}
	key, ok := k.keys.Find(at.key)
	if !ok {
		return nil, fmt.Errorf("key %d of %s: %w", at.key, k.ring, wire.ErrKey)
	}
	return wire.SealKey(key.Secret, k.ring, at.from, at.to), nil
}

func (k *ringKeys) ready(at sealing, aead cipher.AEAD) {
	if k.seals[at] == nil && len(k.seals) == maxSeals {
		clear(k.seals)
	}
	k.seals[at] = aead
}

// open opens a datagram. Only what a sender has proved is kept ready: anybody can change
// the name in a recorded one.
func (k *ringKeys) open(b []byte, h wire.Header, from, to string) (wire.Message, error) {
	at := sealing{h.Key, from, to}
	aead, err := k.derive(at)
	if err != nil {
		return wire.Message{}, err
	}
	m, err := wire.Open(b, h, aead)
	if err == nil || k.seals[at] != nil {
		k.ready(at, aead)
	}
	return m, err
}

// came says that a sender's datagram has come before, or is of an earlier life.
func (k *ringKeys) came(sender string, h wire.Header) bool {
	w := k.windows[sender]
	if w == nil || h.Incarnation > w.life {
		return false
	}
	window := w.window
	return h.Incarnation < w.life || !window.Take(h.Nonce)
}

// fresh says whether a sender's datagram is of its latest life and has not come before.
func (k *ringKeys) fresh(sender string, h wire.Header) bool {
	w := k.windows[sender]
	switch {
	case w == nil:
		k.makeRoom()
		w = &window{life: h.Incarnation}
		k.windows[sender] = w
	case h.Incarnation < w.life:
		return false
	case h.Incarnation > w.life:
		*w = window{life: h.Incarnation}
	}
	k.heard++
	w.heard = k.heard
	return w.window.Take(h.Nonce)
}

// makeRoom forgets the sender that was not heard for longest. A ring has fewer members
// than are remembered, but they change over the years.
func (k *ringKeys) makeRoom() {
	if len(k.windows) < maxSenders {
		return
	}
	oldest, least := "", uint64(math.MaxUint64)
	for sender, w := range k.windows {
		if w.heard < least {
			oldest, least = sender, w.heard
		}
	}
	delete(k.windows, oldest)
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
