package estate

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTap sends a frame to all from one port of a switch for machines to another.
func TestTap(t *testing.T) {
	e := newEstate(t, 1, 1)
	if _, err := e.Tap(2, "t1"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a port of no switch: %v", err)
	}
	a, err := e.Tap(1, "t1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Tap(1, "t2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Tap(1, "t2"); !errors.Is(err, unix.EBUSY) {
		t.Errorf("a port that is there: %v", err)
	}
	frame := append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x77\x01\x88\xb5"), bytes.Repeat([]byte("cassini "), 8)...)
	if _, err := a.Write(frame); err != nil {
		t.Fatal(err)
	}
	for got := make([]byte, 2000); ; {
		n, err := b.Read(got)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(got[:n], frame) {
			break
		}
	}
	if err := errors.Join(a.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if again, err := e.Tap(1, "t2"); err != nil {
		t.Errorf("a port that has ended: %v", err)
	} else {
		_ = again.Close()
	}
}
