package store

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"cassini/model"
	"cassini/model/scan"
)

// ProgressWindow is how long one row of progress documents keeps replacing its
// last entry before a further entry is begun.
const ProgressWindow = 5 * time.Minute

// ErrBadKey says that a text is not a log key.
var ErrBadKey = errors.New("invalid log key")

// Key names an entry of the log: "2026-11-20.19:26:03.123456.netconfig.web-17",
// the time of receipt by the manager's clock in UTC, the package and the host.
// Keys are unique, and sort as text by time.
type Key string

const keyTime = "2006-01-02.15:04:05.000000"

// NewKey makes the key of a document received at a time. Characters that would
// break the key's form are escaped as in URLs: '%', '#' and ' ' anywhere, '.' in
// the package.
func NewKey(at time.Time, n model.Name) Key {
	pkg, host := escape(n.Package, "%# ."), escape(n.Host, "%# ")
	var room [128]byte // as much as most take
	k := append(appendTime(room[:0], at.UTC()), '.')
	k = append(append(k, pkg...), '.')
	return Key(append(k, host...))
}

// appendTime writes a time as keyTime says, in a third of the time that AppendFormat takes.
func appendTime(b []byte, at time.Time) []byte {
	year, month, day := at.Date()
	if year < 0 || year > 9999 {
		return at.AppendFormat(b, keyTime)
	}
	hour, minute, second := at.Clock()
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	b = append(appendTwo(b, day), '.')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	b = append(appendTwo(b, second), '.')
	micros := at.Nanosecond() / 1000
	return appendTwo(appendTwo(appendTwo(b, micros/10_000), micros/100%100), micros%100)
}

func appendTwo(b []byte, n int) []byte { return append(b, '0'+byte(n/10), '0'+byte(n%10)) }

// Until is the bound behind the last key of a moment.
func Until(at time.Time) Key { return Since(at) + "\xff" }

// Since is the bound before the first key of a moment.
func Since(at time.Time) Key { return Key(appendTime(nil, at.UTC())) }

// Time is when the manager received the entry.
func (k Key) Time() (time.Time, error) {
	if len(k) <= len(keyTime) || k[len(keyTime)] != '.' {
		return time.Time{}, fmt.Errorf("%w: %q", ErrBadKey, string(k))
	}
	at, ok := scan.Clock(string(k[:len(keyTime)]), '.')
	if !ok {
		return time.Time{}, fmt.Errorf("%w: %q", ErrBadKey, string(k))
	}
	return at, nil
}

// Split returns the package and the host in the key.
func (k Key) Split() (pkg, host string, err error) {
	if _, err = k.Time(); err != nil {
		return "", "", err
	}
	pkg, host, ok := strings.Cut(string(k[len(keyTime)+1:]), ".")
	if !ok || pkg == "" || host == "" {
		return "", "", fmt.Errorf("%w: %q", ErrBadKey, string(k))
	}
	return unescape(pkg), unescape(host), nil
}

func escape(s, special string) string {
	if !hasAny(s, special) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// hasAny is what strings.ContainsAny says, where few bytes are special.
func hasAny(s, special string) bool {
	for i := range len(special) {
		if strings.IndexByte(s, special[i]) >= 0 {
			return true
		}
	}
	return false
}

// unescape undoes escape; what was never escaped stays as it is.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if n, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); n == 1 && err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Clock gives keys that strictly increase, whatever the system's clock does. It
// is not safe for concurrent use.
type Clock struct {
	Last time.Time // of the newest key
	Held uint64    // batches that came while Last was not behind the clock
}

// Begin prepares for a batch that was received at now.
func (c *Clock) Begin(now time.Time) {
	now = now.UTC().Truncate(time.Microsecond)
	if now.After(c.Last) {
		c.Last = now.Add(-time.Microsecond)
		return
	}
	c.Held++
}

// Next is the time of the next entry of the batch.
func (c *Clock) Next() time.Time {
	c.Last = c.Last.Add(time.Microsecond)
	return c.Last
}
