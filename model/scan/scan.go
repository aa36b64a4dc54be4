// Package scan walks over JSON as agents write it, without white space and surprises, several
// times as fast as encoding/json and without memory of its own. What it does not expect it
// refuses for good, whether good or bad: that is left to encoding/json. It is pure; a Scanner
// belongs to one goroutine.
package scan

import (
	"math"
	"time"
	"unicode/utf8"
)

// Scanner walks over a text. Parts of it that it hands out share its memory.
type Scanner[T string | []byte] struct {
	text   T
	at     int
	failed bool
}

// New begins at the start of a text.
func New[T string | []byte](text T) Scanner[T] { return Scanner[T]{text: text} }

// Fail refuses the text.
func (s *Scanner[T]) Fail() { s.failed = true }

// Failed says whether the text is refused.
func (s *Scanner[T]) Failed() bool { return s.failed }

// Done says whether all of the text was taken.
func (s *Scanner[T]) Done() bool { return !s.failed && s.at == len(s.text) }

// next is the next byte, which stays; 0 at the end and after a failure.
func (s *Scanner[T]) next() byte {
	if s.failed || s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// skip takes a text that has to come.
func (s *Scanner[T]) skip(text string) {
	if s.failed || len(s.text)-s.at < len(text) {
		s.Fail()
		return
	}
	for i := range len(text) {
		if s.text[s.at+i] != text[i] {
			s.Fail()
			return
		}
	}
	s.at += len(text)
}

// more takes a comma; false where there is none.
func (s *Scanner[T]) more() bool {
	if s.next() != ',' {
		return false
	}
	s.at++
	return true
}

// Object calls each with every key of an object, whose value it has to take.
func (s *Scanner[T]) Object(each func(key T)) {
	s.skip("{")
	if s.next() == '}' {
		s.at++
		return
	}
	for !s.failed {
		key := s.Text()
		s.skip(":")
		if s.failed {
			return
		}
		each(key)
		if !s.more() {
			break
		}
	}
	s.skip("}")
}

// Array calls each before every element of an array, which it has to take.
func (s *Scanner[T]) Array(each func()) {
	s.skip("[")
	if s.next() == ']' {
		s.at++
		return
	}
	for !s.failed {
		each()
		if !s.more() {
			break
		}
	}
	s.skip("]")
}

// Text takes a text without escapes.
func (s *Scanner[T]) Text() (text T) {
	inside, escaped := s.quoted()
	if escaped {
		s.Fail()
	}
	if s.failed {
		return text
	}
	return inside
}

// quoted takes a text and says whether there are escapes in it, which are not looked at.
func (s *Scanner[T]) quoted() (inside T, escaped bool) {
	s.skip(`"`)
	if s.failed {
		return inside, false
	}
	text, begin, all := s.text, s.at, byte(0)
	for i := begin; ; i++ {
		for i < len(text) && ordinary[text[i]] {
			i++
		}
		if i >= len(text) {
			break
		}
		switch c := text[i]; {
		case c == '"':
			s.at = i + 1
			if all >= utf8.RuneSelf && !utf8.ValidString(string(text[begin:i])) {
				s.Fail()
			}
			return text[begin:i], escaped
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			s.Fail()
			return inside, false
		default:
			all |= c
		}
	}
	s.Fail()
	return inside, false
}

// ordinary are the bytes that mean nothing but themselves in a text: ASCII but for what ends
// or escapes, and for what may not be there. It never changes.
var ordinary = func() (is [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// Number takes a number without sign, fraction and exponent, up to most.
func (s *Scanner[T]) Number(most uint64) (n uint64) {
	begin := s.at
	for c := s.next(); c >= '0' && c <= '9'; c = s.next() {
		digit := uint64(c - '0')
		if n > (math.MaxUint64-digit)/10 {
			s.Fail()
			return 0
		}
		n = n*10 + digit
		s.at++
	}
	if digits := s.at - begin; digits == 0 || digits > 1 && s.text[begin] == '0' || n > most {
		s.Fail()
	}
	switch s.next() {
	case '.', 'e', 'E':
		s.Fail()
	}
	return n
}

// Bool takes true or false.
func (s *Scanner[T]) Bool() bool {
	if s.next() == 't' {
		s.skip("true")
		return true
	}
	s.skip("false")
	return false
}

// Null takes null, if that is what comes next.
func (s *Scanner[T]) Null() bool {
	if s.next() != 'n' {
		return false
	}
	s.skip("null")
	return true
}

// Time takes a moment as encoding/json does.
func (s *Scanner[T]) Time() (t time.Time) {
	begin := s.at
	text := s.Text()
	if last := len(text) - 1; last >= 0 && text[last] == 'Z' {
		if t, ok := Clock(text[:last], 'T'); ok {
			return t
		}
	}
	if s.failed || t.UnmarshalJSON([]byte(s.text[begin:s.at])) != nil {
		s.Fail()
	}
	return t
}

// Counts takes an object of numbers, whatever they say, as it stands.
func (s *Scanner[T]) Counts() []byte {
	begin := s.at
	s.Object(func(T) { s.Number(math.MaxUint64) })
	return []byte(s.text[begin:s.at])
}
