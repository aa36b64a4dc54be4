package transport

import (
	"errors"
	"testing"
	"time"

	"cassini/model/wire"
)

// No number comes twice in lives that end anywhere, on clocks that go anywhere.
func TestNoncesOverRestarts(t *testing.T) {
	var disk, last uint64
	reserve := func(upTo uint64) error {
		if upTo <= disk {
			t.Fatalf("reserved up to %d after %d", upTo, disk)
		}
		disk = upTo
		return nil
	}
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	for _, clock := range []time.Duration{0, time.Second, -time.Hour, -100 * 365 * 24 * time.Hour, time.Hour, 50 * 365 * 24 * time.Hour, 200 * 365 * 24 * time.Hour, 0} {
		n := NewNonces(disk, now.Add(clock), reserve)
		for range nonceBlock + 5 {
			nonce, err := n.Take()
			if err != nil {
				t.Fatal(err)
			}
			if nonce <= last || nonce > disk || nonce>>wire.NonceBits != 0 {
				t.Fatalf("%d after %d, of %d", nonce, last, disk)
			}
			last = nonce
		}
	}
}

// With nothing on disk the clock alone makes them new.
func TestNoncesWithoutDisk(t *testing.T) {
	keep := func(uint64) error { return nil }
	now := time.Unix(1_800_000_000, 0)
	before, _ := NewNonces(0, now, keep).Take()
	if after, _ := NewNonces(0, now.Add(time.Second), keep).Take(); after < before+60_000 {
		t.Errorf("%d after %d", after, before)
	}
}

func TestNoncesAreSpent(t *testing.T) {
	n := NewNonces(1<<wire.NonceBits-3, time.Now(), func(uint64) error { return nil })
	for range 2 {
		if nonce, err := n.Take(); err != nil || nonce>>wire.NonceBits != 0 {
			t.Errorf("%d, %v", nonce, err)
		}
	}
	if nonce, err := n.Take(); !errors.Is(err, errSpent) {
		t.Errorf("%d, %v", nonce, err)
	}
}

// What cannot be made durable is not sent.
func TestNothingIsSentWithoutNonce(t *testing.T) {
	full := errors.New("disk is full")
	a := open(t, "a", "127.0.0.1:0", 3, func(c *Config) {
		c.Nonces = NewNonces(0, time.Now(), func(uint64) error { return full })
	})
	b := open(t, "b", "127.0.0.1:0", 5)
	if err := a.PutBeat(testRing, "b", keys(2, 1, 2, 3)); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(testRing, b.member(), word(1)); !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
	if err := a.Beat(testRing, b.member(), 0); !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
	if s := a.Stats(); s.Sent != 0 {
		t.Errorf("%d were sent", s.Sent)
	}
	b.expect(Taken, 0)
	if len(b.Stats().Received) != 0 {
		t.Errorf("%v", b.Stats().Received)
	}
}
