package wire

import (
	"errors"
	"reflect"
	"testing"
)

// What parses is written and parsed again to the same.
func FuzzBody(f *testing.F) {
	for _, m := range messages() {
		b, err := appendBody(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(m.Type), b)
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		m, err := parseBody(Type(kind), b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTruncated) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		again, err := appendBody(nil, m)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", m, err)
		}
		back, err := parseBody(m.Type, again)
		if err != nil || !reflect.DeepEqual(m, back) {
			t.Fatalf("got %+v, want %+v: %v", back, m, err)
		}
	})
}

func FuzzDatagram(f *testing.F) {
	for _, m := range messages() {
		f.Add(seal(f, m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		if h.Type == Heartbeat {
			if again := AppendHeader(nil, h, tags); CheckTag(again, tags) != nil || string(again[:tagged]) != string(b[:tagged]) {
				t.Fatalf("%x became %x", b, again)
			}
			return
		}
		_, _ = Sender(b)
		if m, err := Open(b, h, SealKey(secret, ring, "web-1", "web-2")); err == nil && m.Type != h.Type {
			t.Fatalf("%s opened as %s", h.Type, m.Type)
		}
	})
}
