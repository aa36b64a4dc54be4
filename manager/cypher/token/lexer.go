package token

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"cassini/manager/cypher/issue"
)

// lexer walks through a text once.
type lexer struct {
	text         string
	at           int
	line, column int
}

// Split cuts a text into tokens; the last one is EOF. Its errors are *issue.Error.
func Split(text string) ([]Token, error) {
	l := &lexer{text: text, line: 1, column: 1}
	var list []Token
	for {
		if err := l.blank(); err != nil {
			return nil, err
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		t.End = l.at
		list = append(list, t)
		if t.Kind == EOF {
			return list, nil
		}
	}
}

func (l *lexer) position() issue.Position {
	return issue.Position{Line: l.line, Column: l.column, Offset: l.at}
}

func (l *lexer) rest() string { return l.text[l.at:] }

func (l *lexer) peek() rune {
	r, _ := utf8.DecodeRuneInString(l.rest())
	return r
}

// advance goes n bytes on, which are whole characters.
func (l *lexer) advance(n int) string {
	passed := l.text[l.at : l.at+n]
	for _, r := range passed {
		l.column++
		if r == '\n' {
			l.line, l.column = l.line+1, 1
		}
	}
	l.at += n
	return passed
}

// blank passes over white space and comments.
func (l *lexer) blank() error {
	for l.at < len(l.text) {
		rest := l.rest()
		switch {
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.advance(end)
		case strings.HasPrefix(rest, "/*"):
			start := l.position()
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return issue.New(issue.Syntax, "InvalidComment", start, "a comment does not end").WithHint("close it with */")
			}
			l.advance(end + 4)
		default:
			r := l.peek()
			if !unicode.IsSpace(r) && r != '\uFEFF' {
				return nil
			}
			l.advance(utf8.RuneLen(r))
		}
	}
	return nil
}

func (l *lexer) next() (Token, error) {
	t := Token{At: l.position()}
	if l.at == len(l.text) {
		return t, nil
	}
	r, size := utf8.DecodeRuneInString(l.rest())
	switch {
	case r == utf8.RuneError && size == 1:
		return t, issue.New(issue.Syntax, "InvalidUnicodeCharacter", t.At, "the text is not UTF-8 here")
	case r == '`':
		return l.quoted(t)
	case r == '\'' || r == '"':
		return l.string(t, r)
	case digit(r) || r == '.' && len(l.rest()) > 1 && digit(rune(l.rest()[1])) && !l.secondDot():
		return l.number(t)
	case letter(r):
		t.Kind, t.Text = Name, l.advance(nameLength(l.rest()))
		return t, nil
	}
	return l.symbol(t, r)
}

// secondDot says whether the dot here is the second one of "..".
func (l *lexer) secondDot() bool { return l.at > 0 && l.text[l.at-1] == '.' }

func (l *lexer) symbol(t Token, r rune) (Token, error) {
	t.Kind = Symbol
	for _, s := range symbols {
		if strings.HasPrefix(l.rest(), s) {
			t.Text = l.advance(len(s))
			return t, nil
		}
	}
	if strings.ContainsRune("()[]{}<>=+-*/%^.,:;|$&!", r) {
		t.Text = l.advance(1)
		return t, nil
	}
	e := issue.New(issue.Syntax, "InvalidUnicodeCharacter", t.At, "the character %q means nothing here", r)
	if r < utf8.RuneSelf {
		e.Code = "UnexpectedSyntax"
	}
	if unicode.Is(unicode.Pd, r) {
		e.Hint = "the minus sign is -"
	}
	return t, e
}

// quoted reads a name in backticks; two of them stand for one.
func (l *lexer) quoted(t Token) (Token, error) {
	l.advance(1)
	var b strings.Builder
	for {
		end := strings.IndexByte(l.rest(), '`')
		if end < 0 {
			return t, issue.New(issue.Syntax, "UnexpectedSyntax", t.At, "a name in backticks does not end")
		}
		b.WriteString(l.advance(end + 1)[:end])
		if !strings.HasPrefix(l.rest(), "`") {
			t.Kind, t.Text = Quoted, b.String()
			return t, nil
		}
		b.WriteString(l.advance(1))
	}
}

func digit(r rune) bool { return '0' <= r && r <= '9' }

func letter(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Pc, r) }

// nameLength is how many bytes at the start of a text can be in a name.
func nameLength(s string) int {
	for i, r := range s {
		if !letter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Mc, r) {
			return i
		}
	}
	return len(s)
}
