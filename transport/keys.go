package transport

import (
	"fmt"

	"cassini/model"
	"cassini/model/wire"
)

// maxSenders of one ring whose windows are remembered.
const maxSenders = 1024

// ringKeys are a ring's keys, with what was derived of them. A manager has a ring with each of
// its hosts: so they take little.
type ringKeys struct {
	ring    model.RingID
	set     wire.Set
	keys    model.KeySet
	tags    []tagged           // of the keys by which datagrams came or went
	first   speaker            // that was heard
	windows map[string]*window // of further ones, nil before there is one
	heard   uint64             // datagrams of all senders
	next    *ringKeys          // of another ring, whose name has the same number
}

// tagged is what a key's headers are tagged with.
type tagged struct {
	key uint8
	tag wire.TagKey
}

// speaker is a host with its window.
type speaker struct {
	host string
	window
}

// window is what came of one sender's life.
type window struct {
	life   model.Incarnation
	window wire.Window
	heard  uint64 // when, counted in datagrams
}

func newRingKeys(ring model.RingID, keys model.KeySet) *ringKeys {
	return &ringKeys{ring: ring, set: wire.RingSet(ring), keys: keys}
}

// tag is what headers by a key are tagged with. It is derived when it is asked for first: a manager
// that starts learns the keys of all hosts at once, and hears of few of them soon.
func (k *ringKeys) tag(id uint8) (wire.TagKey, bool) {
	for _, t := range k.tags {
		if t.key == id {
			return t.tag, true
		}
	}
	key, ok := k.keys.Find(id)
	if !ok {
		return wire.TagKey{}, false
	}
	t := tagged{id, wire.RingTagKey(key.Secret, k.ring)}
	k.tags = append(k.tags, t)
	return t.tag, true
}

// window is that of a sender, or nil.
func (k *ringKeys) window(from string) *window {
	if k.first.host == from {
		return &k.first.window
	}
	return k.windows[from]
}

// came says that a sender's datagram has come before, or is of an earlier life.
func (k *ringKeys) came(from string, h wire.Header) bool {
	w := k.window(from)
	if w == nil || h.Incarnation > w.life {
		return false
	}
	window := w.window
	return h.Incarnation < w.life || !window.Take(h.Nonce)
}

// fresh says whether a sender's datagram is of its latest life and has not come before.
func (k *ringKeys) fresh(from string, h wire.Header) bool {
	w := k.window(from)
	switch {
	case w == nil:
		w = k.begin(from)
		w.life = h.Incarnation
	case h.Incarnation < w.life:
		return false
	case h.Incarnation > w.life:
		*w = window{life: h.Incarnation}
	}
	k.heard++
	w.heard = k.heard
	return w.window.Take(h.Nonce)
}

// begin makes room for a sender. A ring has fewer members than are remembered, but they
// change over the years: the one that was not heard for longest is forgotten.
func (k *ringKeys) begin(from string) *window {
	if k.first.host == "" {
		k.first = speaker{host: from}
		return &k.first.window
	}
	if len(k.windows)+1 >= maxSenders {
		oldest, least := k.first.host, k.first.heard
		for host, w := range k.windows {
			if w.heard < least {
				oldest, least = host, w.heard
			}
		}
		if oldest == k.first.host {
			k.first = speaker{host: from}
			return &k.first.window
		}
		delete(k.windows, oldest)
	}
	if k.windows == nil {
		k.windows = make(map[string]*window)
	}
	w := &window{}
	k.windows[from] = w
	return w
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
