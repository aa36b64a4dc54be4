package scan

import "unicode/utf8"

// maxDepth is how deep values may lie in each other.
const maxDepth = 100

// Value takes any value, as it stands. It is whole JSON.
func (s *Scanner[T]) Value() T {
	begin := s.at
	s.value(maxDepth)
	return s.text[begin:s.at]
}

func (s *Scanner[T]) value(depth int) {
	if depth == 0 {
		s.Fail()
		return
	}
	switch s.next() {
	case '{':
		s.members(depth)
	case '[':
		s.elements(depth)
	case '"':
		s.anyText()
	case 't':
		s.skip("true")
	case 'f':
		s.skip("false")
	case 'n':
		s.skip("null")
	default:
		s.anyNumber()
	}
}

func (s *Scanner[T]) members(depth int) {
	s.at++
	if s.next() == '}' {
		s.at++
		return
	}
	for !s.failed {
		s.anyText()
		s.skip(":")
		s.value(depth - 1)
		if !s.more() {
			break
		}
	}
	s.skip("}")
}

func (s *Scanner[T]) elements(depth int) {
	s.at++
	if s.next() == ']' {
		s.at++
		return
	}
	for !s.failed {
		s.value(depth - 1)
		if !s.more() {
			break
		}
	}
	s.skip("]")
}

// anyText takes a text, whose escapes have to be right.
func (s *Scanner[T]) anyText() {
	inside, escaped := s.quoted()
	if escaped && !s.failed && !rightEscapes(inside) {
		s.Fail()
	}
}

func rightEscapes[T string | []byte](text T) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++
		switch text[i] { // quoted has seen that there is one
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			if _, ok := hex4(text, i+1); !ok {
				return false
			}
			i += 4
		default:
			return false
		}
	}
	return true
}

// hex4 reads four hexadecimal digits.
func hex4[T string | []byte](text T, from int) (r rune, ok bool) {
	if len(text)-from < 4 {
		return 0, false
	}
	for i := from; i < from+4; i++ {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// anyNumber takes a number as JSON has them.
func (s *Scanner[T]) anyNumber() {
	if s.next() == '-' {
		s.at++
	}
	if s.next() == '0' {
		s.at++
	} else {
		s.digits()
	}
	if s.next() == '.' {
		s.at++
		s.digits()
	}
	if c := s.next(); c == 'e' || c == 'E' {
		s.at++
		if c := s.next(); c == '+' || c == '-' {
			s.at++
		}
		s.digits()
	}
}

// digits takes one and more.
func (s *Scanner[T]) digits() {
	begin := s.at
	for c := s.next(); c >= '0' && c <= '9'; c = s.next() {
		s.at++
	}
	if s.at == begin {
		s.Fail()
	}
}

// Unescaped takes a text with the escapes that encoding/json writes, and is a copy of it.
// Surrogates it refuses.
func (s *Scanner[T]) Unescaped() string {
	inside, escaped := s.quoted()
	if s.failed {
		return ""
	}
	if !escaped {
		return string(inside)
	}
	text := make([]byte, 0, len(inside))
	for i := 0; i < len(inside); i++ {
		if inside[i] != '\\' {
			text = append(text, inside[i])
			continue
		}
		i++
		switch c := inside[i]; c {
		case '"', '\\', '/':
			text = append(text, c)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r, ok := hex4(inside, i+1)
			if !ok || !utf8.ValidRune(r) {
				s.Fail()
				return ""
			}
			text = utf8.AppendRune(text, r)
			i += 4
		default:
			s.Fail()
			return ""
		}
	}
	return string(text)
}
