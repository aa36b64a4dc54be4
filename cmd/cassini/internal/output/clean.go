package output

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clean makes text harmless on a terminal and in a log: control characters,
// escape sequences, invisible and direction-changing characters and broken
// UTF-8 are shown as Go would write them (\x1b, \u202e).
func Clean(s string) string {
	if !strings.ContainsFunc(s, dangerous) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !strconv.IsGraphic(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// dangerous also holds for the replacement character, which may stand for a
// byte that is not UTF-8.
func dangerous(r rune) bool { return r == utf8.RuneError || !strconv.IsGraphic(r) }

// Command writes the arguments of a process on one line, so that it can be told
// where each begins. A single argument is shown as it is: processes that name
// themselves ("postgres: writer") leave one.
func Command(args []string) string {
	if len(args) == 1 {
		return strings.TrimSpace(args[0])
	}
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n'\"") {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
