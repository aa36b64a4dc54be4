package wire

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText bounds a text, in bytes as it came and again as it is given.
const MaxText = 2048

// Text makes bytes from the wire a text: valid UTF-8 without control characters.
// Line ends and tabs become one blank; what else is wrong becomes U+FFFD. NULs and
// line ends at the end go, since many senders end a text by them.
func Text(b []byte) string {
	b = b[:min(len(b), MaxText)]
	for len(b) > 0 && (b[len(b)-1] == 0 || isBreak(rune(b[len(b)-1]))) {
		b = b[:len(b)-1]
	}
	if plain(b) {
		return string(b)
	}
	return repair(b)
}

func repair(b []byte) string {
	var s strings.Builder
	blank := false
	for len(b) > 0 && s.Len() <= MaxText-utf8.UTFMax {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		wasBlank := blank
		blank = isBreak(r)
		switch {
		case blank && wasBlank:
		case blank:
			s.WriteByte(' ')
		case unicode.IsControl(r):
			s.WriteRune(utf8.RuneError)
		default:
			s.WriteRune(r)
		}
	}
	return s.String()
}

func isBreak(r rune) bool {
	return r >= '\t' && r <= '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// plain says that bytes are a text as they stand.
func plain(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 || unicode.IsControl(r) || isBreak(r) {
			return false
		}
		i += n
	}
	return true
}

// ID makes bytes an identifier: text where they are one, else octets in hex, so
// that two that differ stay different.
func ID(b []byte) string {
	trimmed := []byte(strings.TrimRight(string(b), "\x00"))
	if len(trimmed) > 0 && len(trimmed) <= MaxText && plain(trimmed) {
		return string(trimmed)
	}
	return MAC(b[:min(len(b), MaxText/3)])
}

// MAC writes octets as "00:11:22", as many as there are.
func MAC(b []byte) string { return octets(b, ':') }

// OUI writes an organisation's identifier as "00-80-c2".
func OUI(b []byte) string { return octets(b, '-') }

func octets(b []byte, between byte) string {
	out := make([]byte, 0, 3*len(b))
	for i, o := range b {
		if i > 0 {
			out = append(out, between)
		}
		out = hex.AppendEncode(out, []byte{o})
	}
	return string(out)
}

// IP writes 4 or 16 octets as an IP address.
func IP(b []byte) (text string, ok bool) {
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		return "", false
	}
	return addr.String(), true
}
