package delivery

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestRange(t *testing.T) {
	for header, want := range map[string]Range{"": {1, 1}, "1": {1, 1}, "2": {2, 2}, "1-2": {1, 2}, "7-900": {7, 900}} {
		got, err := ParseRange(header)
		if err != nil || got != want || header != "" && got.String() != header {
			t.Errorf("%q: %v, %v", header, got, err)
		}
	}
	for _, header := range []string{"0", "-1", "2-1", "1-", "-", "a", "1-2-3", "01", "+1", " 1", "1000001", strings.Repeat("9", 100)} {
		if got, err := ParseRange(header); !errors.Is(err, ErrRange) {
			t.Errorf("%q: %v, %v", header, got, err)
		}
	}
}

func TestCommon(t *testing.T) {
	for _, tc := range []struct {
		agent, manager Range
		want           int
		text           string
	}{
		{Range{1, 2}, Range{1, 2}, 2, ""},
		{Range{1, 2}, Range{1, 1}, 1, ""},
		{Range{1, 2}, Range{2, 3}, 2, ""},
		{Range{2, 3}, Range{1, 2}, 2, ""},
		{Range{1, 2}, Range{3, 4}, 0, "the agent speaks protocol 1-2, the manager 3-4: upgrade the agent"},
		{Range{3, 4}, Range{1, 2}, 0, "the agent speaks protocol 3-4, the manager 1-2: upgrade the manager"},
	} {
		got, ok := tc.agent.Common(tc.manager)
		if ok != (tc.want > 0) || ok && got != tc.want {
			t.Errorf("%v and %v: %d, %v", tc.agent, tc.manager, got, ok)
		}
		if err := Mismatch(tc.agent, tc.manager); !ok && (!errors.Is(err, ErrVersion) || !strings.HasSuffix(err.Error(), tc.text)) {
			t.Errorf("%v and %v: %v", tc.agent, tc.manager, err)
		}
	}
}

func TestCodec(t *testing.T) {
	c, err := NewCodec(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(strings.Repeat(`{"host":"web-17","package":"listeners"}`, 1000))
	small, ok := c.Compress(text)
	if !ok || len(small) > len(text)/50 {
		t.Errorf("%d bytes became %d", len(text), len(small))
	}
	if back, err := c.Decompress(small); err != nil || !bytes.Equal(back, text) {
		t.Errorf("%d bytes came back, %v", len(back), err)
	}
	if _, ok := c.Compress([]byte("short")); ok {
		t.Error("compressed what is short")
	}
	exact, _ := c.Compress(make([]byte, 1<<20))
	if back, err := c.Decompress(exact); err != nil || len(back) != 1<<20 {
		t.Errorf("at the limit: %d, %v", len(back), err)
	}
	beyond, _ := c.Compress(make([]byte, 1<<20+1))
	if _, err := c.Decompress(beyond); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	if _, err := c.Decompress(small[:len(small)/2]); !errors.Is(err, ErrCompressed) {
		t.Errorf("cut: %v", err)
	}
}

func FuzzDecompress(f *testing.F) {
	c, err := NewCodec(1 << 16)
	if err != nil {
		f.Fatal(err)
	}
	small, _ := c.Compress([]byte(strings.Repeat("documents ", 100)))
	f.Add(small)
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := c.Decompress(b)
		if len(all) > 1<<16 || err != nil && !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrCompressed) {
			t.Errorf("%d bytes, %v", len(all), err)
		}
	})
}

func FuzzRange(f *testing.F) {
	f.Add("1-2")
	f.Fuzz(func(t *testing.T, header string) {
		r, err := ParseRange(header)
		if err == nil && header != "" && header != "1-1" && r.String() != header && r.Oldest != r.Newest {
			t.Errorf("%q became %v", header, r)
		}
	})
}
