package token

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"cassini/manager/cypher/issue"
)

// string reads a text in single or double quotes.
func (l *lexer) string(t Token, mark rune) (Token, error) {
	l.advance(1)
	var b strings.Builder
	for {
		end := strings.IndexAny(l.rest(), `\`+string(mark))
		if end < 0 {
			return t, issue.New(issue.Syntax, "UnexpectedSyntax", t.At, "a text does not end").WithHint("close it with %c", mark)
		}
		b.WriteString(l.advance(end))
		if rune(l.rest()[0]) == mark {
			l.advance(1)
			if !utf8.ValidString(b.String()) {
				return t, issue.New(issue.Syntax, "InvalidUnicodeCharacter", t.At, "the text is not UTF-8")
			}
			t.Kind, t.Text = String, b.String()
			return t, nil
		}
		if err := l.escape(&b); err != nil {
			return t, err
		}
	}
}

// escape reads what begins with a backslash.
func (l *lexer) escape(b *strings.Builder) error {
	at := l.position()
	l.advance(1)
	r, size := utf8.DecodeRuneInString(l.rest())
	if size == 0 {
		return issue.New(issue.Syntax, "UnexpectedSyntax", at, "a text does not end")
	}
	if simple := strings.IndexRune(`\'"bfnrt`+"`", r); simple >= 0 {
		b.WriteByte("\\'\"\b\f\n\r\t`"[simple])
		l.advance(1)
		return nil
	}
	digits := map[rune]int{'u': 4, 'U': 8}[r]
	if digits == 0 {
		return issue.New(issue.Syntax, "UnexpectedSyntax", at, "a text has no escape \\%c", r).WithHint(`write \\ for a backslash`)
	}
	l.advance(1)
	code, ok := l.hex(digits)
	if utf16.IsSurrogate(code) && strings.HasPrefix(l.rest(), `\u`) { // half of a character beyond four digits
		l.advance(2)
		low, half := l.hex(4)
		code = utf16.DecodeRune(code, low)
		ok = ok && half && code != utf8.RuneError
	}
	if !ok || !utf8.ValidRune(code) {
		return issue.New(issue.Syntax, "InvalidUnicodeLiteral", at, "\\%c wants %d hexadecimal digits that are a character", r, digits)
	}
	b.WriteRune(code)
	return nil
}

// hex reads a number of so many hexadecimal digits.
func (l *lexer) hex(digits int) (code rune, ok bool) {
	text := l.rest()[:min(digits, len(l.rest()))]
	n, err := strconv.ParseUint(text, 16, 32)
	if err != nil || len(text) < digits || n > utf8.MaxRune {
		return 0, false
	}
	l.advance(digits)
	return rune(n), true
}

// number reads 1, 0x1F, 0o17, 1.5, .5 and 1e9. Two dots behind a number are a
// range's.
func (l *lexer) number(t Token) (Token, error) {
	s := l.rest()
	if len(s) > 1 && s[0] == '0' && strings.IndexByte("xXoO", s[1]) >= 0 {
		return l.based(t)
	}
	end := digits(s)
	t.Kind = Int
	if end+1 < len(s) && s[end] == '.' && digit(rune(s[end+1])) {
		t.Kind = Float
		end += 1 + digits(s[end+1:])
	}
	if end < len(s) && (s[end] == 'e' || s[end] == 'E') {
		exponent := end + 1
		if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
			exponent++
		}
		if n := digits(s[exponent:]); n > 0 {
			t.Kind, end = Float, exponent+n
		}
	}
	return l.endNumber(t, end)
}

func digits(s string) int {
	for i := range len(s) {
		if !digit(rune(s[i])) {
			return i
		}
	}
	return len(s)
}

// based reads a number with base 16 or 8.
func (l *lexer) based(t Token) (Token, error) {
	s := l.rest()
	allowed := "0123456789abcdefABCDEF"
	if s[1] == 'o' || s[1] == 'O' {
		allowed = "01234567"
	}
	end := 2
	for end < len(s) && strings.IndexByte(allowed, s[end]) >= 0 {
		end++
	}
	if end == 2 {
		return t, issue.New(issue.Syntax, "InvalidNumberLiteral", t.At, "%s has no digits behind it", s[:2])
	}
	t.Kind = Int
	return l.endNumber(t, end)
}

// endNumber does not take letters right behind a number. Whether that is a number
// written wrongly or something else is for the place to tell where it stands.
func (l *lexer) endNumber(t Token, end int) (Token, error) {
	t.Text = l.advance(end)
	if n := nameLength(l.rest()); n > 0 {
		t.Kind, t.Text = Bad, t.Text+l.advance(n)
		t.Err = issue.New(issue.Syntax, "InvalidNumberLiteral", t.At, "%s is no number", t.Text)
	}
	return t, nil
}
