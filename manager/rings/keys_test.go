package rings

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"cassini/model"
)

// TestKeysAreHKDF derives the same keys by the standard library, one after the other.
func TestKeysAreHKDF(t *testing.T) {
	ring := &Ring{Master: model.Secret{1, 2, 3}, Generation: 300}
	for range 2 { // from a state that was used before too
		for _, c := range []struct {
			got   model.KeySet
			names []string
		}{{ring.keys(), []string{"ring"}}, {ring.linkKeys("web-2", "web-17"), []string{"link", "web-17", "web-2"}}} {
			for i, key := range c.got.Keys {
				info := binary.AppendUvarint([]byte("cassini ring 1 "), uint64(299+i))
				for _, name := range c.names {
					info = append(append(info, byte(len(name))), name...)
				}
				want, err := hkdf.Key(sha256.New, ring.Master[:], nil, string(info), len(key.Secret))
				if err != nil || string(want) != string(key.Secret[:]) || key.ID != uint8(299+i) {
					t.Errorf("%v, key %d: %x, want %x, %v", c.names, key.ID, key.Secret, want, err)
				}
			}
		}
		ring.schedule.master = model.Secret{} // made anew
	}
}
