package transport

import (
	"errors"
	"fmt"
	"testing"

	"cassini/model"
	"cassini/model/wire"
)

// alike are two rings whose names have the same number in datagrams.
func alike(t *testing.T) (a, b model.RingID) {
	t.Helper()
	seen := make(map[wire.Set]model.RingID)
	for i := range 10_000_000 {
		ring := model.ManagerRing(fmt.Sprint("h", i))
		if other, ok := seen[wire.RingSet(ring)]; ok {
			return other, ring
		}
		seen[wire.RingSet(ring)] = ring
	}
	t.Fatal("no two names are alike")
	return "", ""
}

// TestRingsOfOneNumber hears both of two rings that the number in a datagram does not tell
// apart, as a manager of many hosts has.
func TestRingsOfOneNumber(t *testing.T) {
	one, other := alike(t)
	b := open(t, "b", "127.0.0.1:0", 5)
	of := func(ring model.RingID) model.KeySet {
		k := keys(2, 1, 2, 3)
		for i := range k.Keys {
			k.Keys[i].Secret[0] = ring[len(ring)-1]
			k.Keys[i].Secret[1] = ring[len(ring)-2]
		}
		return k
	}
	from := func(ring model.RingID, nonce uint64) []byte {
		key, _ := of(ring).Sending()
		h := wire.Header{Key: key.ID, Set: wire.RingSet(ring), Nonce: nonce, Incarnation: 1}
		raw, err := wire.Seal(h, wire.RingTagKey(key.Secret, ring), "a", wire.SealKey(key.Secret, ring, "a", "b"), wire.Message{Type: wire.Probe, ID: nonce})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	heard := func(raw []byte) model.RingID {
		ring, _, _, err := b.Endpoint.open(raw)
		if err != nil && !errors.Is(err, errUnknownSet) && !errors.Is(err, wire.ErrForged) && !errors.Is(err, wire.ErrReplayed) {
			t.Fatal(err)
		}
		return ring
	}
	b.Put(one, of(one))
	b.Put(other, of(other))
	for i, ring := range []model.RingID{one, other, one, other} {
		if got := heard(from(ring, uint64(i+1))); got != ring {
			t.Errorf("%s was heard as %q", ring, got)
		}
	}
	b.Put(one, of(one)) // as after a change of keys: what came does not come again
	if got := heard(from(one, 3)); got != "" {
		t.Errorf("what had come is heard again, as %q", got)
	}
	b.Forget(other)
	if got := heard(from(other, 9)); got != "" {
		t.Errorf("a ring that was forgotten is heard as %q", got)
	}
	if got := heard(from(one, 9)); got != one {
		t.Errorf("%s was heard as %q", one, got)
	}
	b.Forget(one)
	if n := len(b.rings); n > 1 { // the ring that all of these tests have
		t.Errorf("%d numbers are left", n)
	}
}
