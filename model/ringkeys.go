package model

import (
	"encoding/hex"
	"errors"
	"fmt"
)

// ErrSecret says that a text is no secret.
var ErrSecret = errors.New("not a secret of 64 hexadecimal digits")

// Secret is what keys are derived from. It shows itself in JSON alone.
type Secret [32]byte

// String hides the secret from logs.
func (s Secret) String() string { return "(secret)" }

// GoString hides it from %#v too.
func (s Secret) GoString() string { return "model.Secret{}" }

// MarshalText writes it as hexadecimal digits.
func (s Secret) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote. Errors wrap ErrSecret.
func (s *Secret) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(s) {
		return fmt.Errorf("%w: it has %d", ErrSecret, len(text))
	}
	if _, err := hex.Decode(s[:], text); err != nil {
		return fmt.Errorf("%w: %w", ErrSecret, err)
	}
	return nil
}

// RingKey is one secret with its number.
type RingKey struct {
	ID     uint8  `json:"id"`
	Secret Secret `json:"secret"`
}

// MaxKeys of a set: the previous one, the current one and the next.
const MaxKeys = 3

// KeySet is the previous, the current and the next key: all are accepted, the current
// one is sent with. Which one that is the manager says, and not a clock: hosts whose
// clocks differ go on hearing each other, and a member that was away for one rotation
// still has a key that the others accept, and accepts theirs.
type KeySet struct {
	Current uint8     `json:"current"` // its ID
	Keys    []RingKey `json:"keys"`    // at most MaxKeys
}

// IsZero says whether there is no key.
func (k KeySet) IsZero() bool { return len(k.Keys) == 0 }

// Sending is the key to send with.
func (k KeySet) Sending() (RingKey, bool) { return k.Find(k.Current) }

// Find is the key with a number.
func (k KeySet) Find(id uint8) (RingKey, bool) {
	for _, key := range k.Keys {
		if key.ID == id {
			return key, true
		}
	}
	return RingKey{}, false
}
