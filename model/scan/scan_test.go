package scan

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `0`, `-0`, `-12.50e-3`, `1E+9`, `true`, `false`, `null`, `{"a":{"b":[1,"x\"\\\/\b\f\n\r\tä\ud83d"]},"c":""}`, `"ä"`, strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	} {
		s := New(text)
		if got := s.Value(); got != text || !s.Done() {
			t.Errorf("%s became %s", text, got)
		}
	}
	for _, text := range []string{
		``, ` `, `{`, `[`, `"`, `-`, `01`, `1.`, `.5`, `1e`, `+1`, `tru`, `nulls`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `[1,]`, `[,1]`, `[1 ]`, `"\x"`, `"\u12g4"`, `"\u123`, "\"\n\"", "\"\xff\"", `"\`, strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		s := New([]byte(text))
		if got := s.Value(); s.Done() {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestUnescaped(t *testing.T) {
	for text, want := range map[string]string{`"a"`: "a", `"\u003e\"\\\/\b\f\n\r\t\u00E4ä"`: ">\"\\/\b\f\n\r\tää", `""`: ""} {
		s := New(text)
		if got := s.Unescaped(); got != want || !s.Done() {
			t.Errorf("%s became %q", text, got)
		}
	}
	for _, text := range []string{`"\ud800"`, `"\u00"`, `"\v"`, `"`, `7`} {
		s := New(text)
		if got := s.Unescaped(); s.Done() {
			t.Errorf("%s became %q", text, got)
		}
	}
}

func TestNumber(t *testing.T) {
	for text, ok := range map[string]bool{"0": true, "18446744073709551615": true, "18446744073709551616": false, "-1": false, "1.0": false, "1e1": false, "01": false, "": false} {
		s := New(text)
		if n := s.Number(math.MaxUint64); s.Done() != ok {
			t.Errorf("%s became %d", text, n)
		}
	}
}

// FuzzValue holds that what is taken is JSON, and that texts are what encoding/json reads.
func FuzzValue(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,true,null,"\u003e\n"]}`))
	f.Add([]byte(`"\u00e4\\"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := New(text)
		if s.Value(); s.Done() && !json.Valid(text) {
			t.Errorf("%q is taken for JSON", text)
		}
		s = New(text)
		got := s.Unescaped()
		var want string
		if s.Done() && (json.Unmarshal(text, &want) != nil || got != want) {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	})
}
