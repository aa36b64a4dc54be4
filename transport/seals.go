package transport

import (
	"crypto/cipher"
	"fmt"

	"cassini/model/wire"
)

// maxSeals are kept ready, of all rings together.
const maxSeals = 4096

// seals are what datagrams are sealed with, ready to be used: to derive one takes longer than
// to use it. They are of the keys that a ring has at this moment; whoever changes these takes
// others.
type seals map[sealing]cipher.AEAD

// sealing is from one host to another by a key of a ring.
type sealing struct {
	ring     *ringKeys
	key      uint8
	from, to string
}

// seal is what datagrams from one host to another are sealed with.
func (s seals) seal(at sealing) (cipher.AEAD, error) {
	aead, err := s.derive(at)
	if err == nil {
		s.ready(at, aead)
	}
	return aead, err
}

func (s seals) derive(at sealing) (cipher.AEAD, error) {
	if aead := s[at]; aead != nil {
		return aead, nil
	}
	key, ok := at.ring.keys.Find(at.key)
	if !ok {
		return nil, fmt.Errorf("key %d of %s: %w", at.key, at.ring.ring, wire.ErrKey)
	}
	return wire.SealKey(key.Secret, at.ring.ring, at.from, at.to), nil
}

func (s seals) ready(at sealing, aead cipher.AEAD) {
	if s[at] == nil && len(s) == maxSeals {
		clear(s)
	}
	s[at] = aead
}

// open opens a datagram. Only what a sender has proved is kept ready: anybody can change
// the name in a recorded one.
func (s seals) open(k *ringKeys, b []byte, h wire.Header, from, to string) (wire.Message, error) {
	at := sealing{k, h.Key, from, to}
	aead, err := s.derive(at)
	if err != nil {
		return wire.Message{}, err
	}
	m, err := wire.Open(b, h, aead)
	if err == nil || s[at] != nil {
		s.ready(at, aead)
	}
	return m, err
}
