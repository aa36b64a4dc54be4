package store

import (
	"testing"
	"time"

	"cassini/model"
)

func TestKeyReadsByEye(t *testing.T) {
	at := time.Date(2026, 11, 20, 19, 26, 3, 123456789, time.UTC)
	for _, tt := range []struct{ pkg, host, want string }{
		{"netconfig", "web-17", "2026-11-20.19:26:03.123456.netconfig.web-17"},
		{"os", "web-17.example.org", "2026-11-20.19:26:03.123456.os.web-17.example.org"},
		{"a.b", "h#1 100%", "2026-11-20.19:26:03.123456.a%2Eb.h%231%20100%25"},
	} {
		k := NewKey(at, model.Name{Host: tt.host, Package: tt.pkg})
		if string(k) != tt.want {
			t.Errorf("key is %s, want %s", k, tt.want)
		}
		if got, err := k.Time(); err != nil || !got.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("time of %s is %v, %v", k, got, err)
		}
		if pkg, host, err := k.Split(); err != nil || pkg != tt.pkg || host != tt.host {
			t.Errorf("%s splits into %q, %q, %v", k, pkg, host, err)
		}
	}
}

func TestClockIncreasesWhateverTheTime(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var c Clock
	var last time.Time
	for _, step := range []time.Duration{0, 0, time.Second, -time.Hour, time.Microsecond, 2 * time.Hour} {
		now = now.Add(step)
		c.Begin(now)
		for range 3 {
			if at := c.Next(); !at.After(last) {
				t.Fatalf("%v comes after %v", at, last)
			} else {
				last = at
			}
		}
	}
	if c.Held != 3 {
		t.Errorf("held %d batches, want 3", c.Held)
	}
	if !last.Equal(now.Add(2 * time.Microsecond)) {
		t.Errorf("clock stays at %v when time has overtaken it, now %v", last, now)
	}
}

func FuzzKeyRoundTrip(f *testing.F) {
	f.Add("netconfig", "web-17")
	f.Add("a.%2E#", "%41 .#")
	f.Fuzz(func(t *testing.T, pkg, host string) {
		if pkg == "" || host == "" {
			return
		}
		k := NewKey(time.Unix(1700000000, 0), model.Name{Host: host, Package: pkg})
		if p, h, err := k.Split(); err != nil || p != pkg || h != host {
			t.Errorf("%q, %q became %q, %q, %v", pkg, host, p, h, err)
		}
	})
}

func FuzzKeyParse(f *testing.F) {
	f.Add("2026-11-20.19:26:03.123456.netconfig.web-17")
	f.Fuzz(func(t *testing.T, s string) {
		at, err := Key(s).Time()
		if err == nil && at.Format(keyTime) != s[:len(keyTime)] {
			t.Errorf("%q has time %v", s, at)
		}
		_, _, _ = Key(s).Split()
	})
}

func TestTimeOfAKey(t *testing.T) {
	for _, at := range []time.Time{
		{}, time.Date(2026, 1, 2, 3, 4, 5, 6_789, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(7, 10, 20, 10, 0, 9, 100_000_000, time.UTC), time.Date(12_345, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, want := string(appendTime(nil, at)), at.Format(keyTime); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
