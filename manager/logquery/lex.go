package logquery

import (
	"strings"
	"unicode/utf8"
)

// CEL reserves the word "package" for itself, and it is what the part of a document's
// name is called everywhere else: expressions are compiled with another word of the
// same length in its place, so that columns stay true.
const (
	reserved    = "package"
	replacement = "pkgname"
)

// token is a piece of an expression, as far as it matters here.
type token struct {
	kind       byte // 'i' an identifier, 's' a string, ' ' space or a comment, else the character itself
	start, end int  // bytes
}

// tokens cuts an expression. Strings that do not end reach to the end of the text:
// the parser says what is wrong with them.
func tokens(text string) (list []token) {
	for i := 0; i < len(text); {
		t := token{kind: ' ', start: i, end: i + 1}
		switch c := text[i]; {
		case letter(c):
			t.kind, t.end = 'i', word(text, i)
			if t.end < len(text) && quote(text[t.end]) && prefix(text[i:t.end]) {
				raw := strings.ContainsAny(text[i:t.end], "rR")
				t.kind, t.end = 's', stringEnd(text, t.end, raw)
			}
		case quote(c):
			t.kind, t.end = 's', stringEnd(text, i, false)
		case strings.HasPrefix(text[i:], "//"):
			t.end = lineEnd(text, i)
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		case '0' <= c && c <= '9':
			t.kind, t.end = '0', word(text, i)
		default:
			_, size := utf8.DecodeRuneInString(text[i:])
			t.kind, t.end = c, i+size
		}
		list = append(list, t)
		i = t.end
	}
	return list
}

func letter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func quote(c byte) bool { return c == '\'' || c == '"' }

// prefix says whether letters before a quote are part of the string: r and b, in any case.
func prefix(s string) bool {
	s = strings.ToLower(s)
	return s == "r" || s == "b" || s == "rb" || s == "br"
}

func word(text string, i int) int {
	for i < len(text) && (letter(text[i]) || '0' <= text[i] && text[i] <= '9') {
		i++
	}
	return i
}

func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}

// stringEnd is where the string ends whose quote is at i.
func stringEnd(text string, i int, raw bool) int {
	mark := text[i : i+1]
	if triple := strings.Repeat(mark, 3); strings.HasPrefix(text[i:], triple) {
		mark = triple
	}
	for j := i + len(mark); j < len(text); j++ {
		switch {
		case text[j] == '\\' && !raw:
			j++
		case strings.HasPrefix(text[j:], mark):
			return j + len(mark)
		}
	}
	return len(text)
}

// renamed puts the replacement where the reserved word is a variable.
func renamed(text string) string {
	out, last := []byte(text), byte(0)
	for _, t := range tokens(text) {
		if t.kind == 'i' && last != '.' && text[t.start:t.end] == reserved {
			copy(out[t.start:], replacement)
		}
		if t.kind != ' ' {
			last = t.kind
		}
	}
	return string(out)
}

// item is one of a list, and the byte at which it begins.
type item struct {
	text string
	at   int
}

// list cuts a text at commas that are in no string and in no brackets. Items that are
// empty are left out.
func list(text string) (items []item) {
	depth, begin := 0, 0
	add := func(end int) {
		part := text[begin:end]
		trimmed := strings.TrimLeft(part, " \t\r\n")
		if trimmed != "" {
			items = append(items, item{strings.TrimRight(trimmed, " \t\r\n"), begin + len(part) - len(trimmed)})
		}
	}
	for _, t := range tokens(text) {
		switch t.kind {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth <= 0 {
				add(t.start)
				begin = t.end
			}
		}
	}
	add(len(text))
	return items
}
