package bpf

import (
	"errors"
	"slices"
	"testing"
	"time"
	"unsafe"
)

func raw(rec tcpEvent) []byte {
	return slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&rec)), unsafe.Sizeof(rec)))
}

// shared.h and Go must agree; the kernel's record is a multiple of 8.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"edge_key", unsafe.Sizeof(EdgeKey{}), 64},
		{"owner", unsafe.Sizeof(Owner{}), 64},
		{"listener", unsafe.Sizeof(Listener{}), 104},
		{"edge", unsafe.Sizeof(Edge{}), 280},
		{"traffic", unsafe.Sizeof(Traffic{}), 40},
		{"event", unsafe.Sizeof(tcpEvent{}), 24 + 8 + 64 + 104 + 3*512 - 8},
	} {
		if c.got != c.want || c.got%8 != 0 {
			t.Errorf("%s has %d bytes, want %d", c.name, c.got, c.want)
		}
	}
}

func TestParseEvent(t *testing.T) {
	rec := tcpEvent{Kind: uint32(EventListen), Cookie: 7, ExeLen: 8, ArgsLen: 6}
	copy(rec.Exe[:], "sh\x00bin\x00\x00")
	rec.ExeLen = 7
	copy(rec.Args[:], "sh\x00-c\x00")
	var e Event
	if err := parseEvent(raw(rec), &e); err != nil {
		t.Fatal(err)
	}
	if e.Cookie != 7 || e.Image.Exe != "/bin/sh" || !slices.Equal(e.Image.Cmdline, []string{"sh", "-c"}) || e.Image.Cwd != "" {
		t.Errorf("got %+v", e)
	}
	for name, bad := range map[string][]byte{"short": raw(rec)[:20], "empty": nil, "kind": raw(tcpEvent{Kind: 99})} {
		if err := parseEvent(bad, &e); !errors.Is(err, ErrBadEvent) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add(raw(tcpEvent{Kind: 1, ExeLen: 65535, CwdLen: 65535, ArgsLen: 1 << 31}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Event
		if err := parseEvent(slices.Clone(b), &e); err != nil && !errors.Is(err, ErrBadEvent) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	c := Clock{Wall: now, MonoNs: 1000e9, BootNs: 5000e9}
	if got := c.Mono(990e9); !got.Equal(now.Add(-10 * time.Second)) {
		t.Errorf("mono: %v", got)
	}
	if got := c.Boot(5001e9); !got.Equal(now.Add(time.Second)) {
		t.Errorf("boot: %v", got)
	}
	if !c.Mono(0).IsZero() {
		t.Error("0 is a time")
	}
}
