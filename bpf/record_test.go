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
		{"traffic", unsafe.Sizeof(Traffic{}), 48},
		{"event", unsafe.Sizeof(tcpEvent{}), 24 + 8 + 64 + 104 + 3*512 - 8},
		{"unix_key", unsafe.Sizeof(UnixKey{}), 48},
		{"unix_edge", unsafe.Sizeof(UnixEdge{}), 296},
		{"unix_socket", unsafe.Sizeof(UnixSocket{}), 216},
		{"unix_open", unsafe.Sizeof(UnixClient{}), 64},
		{"unix_event", unsafe.Sizeof(unixscanUnixEvent{}), 8 + 48 + unsafe.Sizeof(tcpEvent{})},
		{"image of unix_event", unsafe.Sizeof(unixscanUnixEvent{}.Image), unsafe.Sizeof(tcpEvent{})},
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

func rawUnix(rec unixscanUnixEvent) []byte {
	return slices.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&rec)), unsafe.Sizeof(rec)))
}

func TestParseUnixEvent(t *testing.T) {
	rec := unixscanUnixEvent{Kind: uint32(UnixEventEdge), Tgid: 9}
	rec.Key.ExeIno, rec.Image.Listener.Owner.Tgid, rec.Image.ExeLen = 5, 9, 7
	copy(rec.Image.Exe[:], "sh\x00bin\x00")
	var e UnixEvent
	if err := parseUnixEvent(rawUnix(rec), &e); err != nil {
		t.Fatal(err)
	}
	if e.PID != 9 || e.Key.ExeIno != 5 || e.Owner.Tgid != 9 || e.Image.Exe != "/bin/sh" {
		t.Errorf("got %+v", e)
	}
	for name, bad := range map[string][]byte{"short": rawUnix(rec)[:20], "empty": nil, "kind": rawUnix(unixscanUnixEvent{Kind: 99})} {
		if err := parseUnixEvent(bad, &e); !errors.Is(err, ErrBadEvent) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func FuzzParseUnixEvent(f *testing.F) {
	f.Add(rawUnix(unixscanUnixEvent{Kind: 1}))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var e UnixEvent
		if err := parseUnixEvent(slices.Clone(b), &e); err != nil && !errors.Is(err, ErrBadEvent) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestUnixText(t *testing.T) {
	for raw, want := range map[string]string{
		"/run/x.sock": "/run/x.sock", "\x00bus": "@bus", "\x00bus\x00\x00\x00": "@bus", "\x00a\x00b\x00": "@a?b",
		"/a\nb\x1b[31m": "/a?b?[31m", "/\xff": "/?", "@real": "@real", "": "", "/ä": "/ä",
	} {
		if got := UnixText([]byte(raw)); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

// Cells and what has no room in them are one count; what no bucket has is left out.
func TestCells(t *testing.T) {
	h := Health{}
	h.Rtt[3], h.Lifetime[27] = 1<<32-1, 7
	e := Edge{Cells: [7]uint32{1<<cellBits | 5, 4<<cellBits | 2, 20<<cellBits | 1, 21<<cellBits | 9, 48<<cellBits | 1<<25, 49<<cellBits | 3, 8}}
	h.addCells(&e)
	want := Health{}
	want.Rtt[0], want.Rtt[3], want.Rtt[19], want.Lifetime[0], want.Lifetime[27] = 5, 1, 1, 9, 7+1<<25
	if h != want {
		t.Errorf("%v, want %v", h, want)
	}
}

// An edge's key and its sample are its owner together.
func TestWhose(t *testing.T) {
	want := Owner{Cgroup: 1, ExeIno: 2, ExeDev: 3, StartNs: 4, Tgid: 5, Uid: 6, Gid: 7, Kind: OwnerKernel, Comm: [16]uint8{8}}
	e := Edge{Key: EdgeKey{Cgroup: 1, ExeIno: 2, ExeDev: 3}, Owner: Sample{StartNs: 4, Tgid: 5, Uid: 6, Gid: 7, Kind: OwnerKernel, Comm: [16]uint8{8}}}
	if got := e.Whose(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
