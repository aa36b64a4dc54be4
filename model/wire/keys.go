package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"cassini/model"
)

// SealKeySize is the size of a SealKey in bytes: AES-256.
const SealKeySize = 32

// derive makes a key of a secret (RFC 5869). Names have their lengths before them, so
// that no two lists of names look alike.
func derive(secret model.Secret, size int, names ...string) []byte {
	info := []byte{}
	for _, name := range names {
		info = append(info, byte(len(name)), byte(len(name)>>8))
		info = append(info, name...)
	}
	key, err := hkdf.Key(sha256.New, secret[:], nil, string(info), size)
	if err != nil {
		panic("wire: derive a key: " + err.Error()) // only of more than 8,160 bytes
	}
	return key
}

func tagKey(b []byte) TagKey {
	return TagKey{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

// LinkTagKey is the key of heartbeats from one host to another. Each direction has its
// own, so that a heartbeat cannot be sent back to its sender.
func LinkTagKey(secret model.Secret, ring model.RingID, from, to string) TagKey {
	return tagKey(derive(secret, 16, "cassini heartbeat 1", string(ring), from, to))
}

// RingTagKey is the key of the headers of a ring's control datagrams.
func RingTagKey(secret model.Secret, ring model.RingID) TagKey {
	return tagKey(derive(secret, 16, "cassini control 1", string(ring)))
}

// SealKey is the key that seals control datagrams from one host to another. No two
// senders share one, so that a nonce is used once if its sender uses it once.
func SealKey(secret model.Secret, ring model.RingID, from, to string) cipher.AEAD {
	block, err := aes.NewCipher(derive(secret, SealKeySize, "cassini seal 1", string(ring), from, to))
	if err != nil {
		panic("wire: make AES-256: " + err.Error()) // only of another key size
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("wire: make GCM: " + err.Error()) // only of another block size
	}
	return aead
}

// LinkSet numbers the keys of heartbeats from one host to another. Nobody assigns the
// number: both ends compute it, also those of a bridge that the manager knows nothing of.
func LinkSet(ring model.RingID, from, to string) Set {
	return set("link", string(ring), from, to)
}

// RingSet numbers the keys of a ring's control datagrams.
func RingSet(ring model.RingID) Set { return set("ring", string(ring)) }

func set(names ...string) Set {
	hash := sha256.New()
	for _, name := range names {
		hash.Write([]byte{byte(len(name)), byte(len(name) >> 8)})
		hash.Write([]byte(name))
	}
	return Set(binary.LittleEndian.Uint32(hash.Sum(nil)))
}
