package frametest

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cassini/agent/frames/wire"
	"cassini/model"
)

// Sound fails the test if what a decoder made of anything breaks the promises
// that hold for every frame.
func Sound(t *testing.T, d model.Discovery, size int) {
	t.Helper()
	if len(d.Problems) > wire.MaxProblems || len(d.Unknown) > wire.MaxUnknown {
		t.Errorf("%d problems, %d unknown TLVs", len(d.Problems), len(d.Unknown))
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if most := 8192 + 64*size; len(text) > most {
		t.Errorf("%d bytes became %d of JSON", size, len(text))
	}
	var any any
	if err := json.Unmarshal(text, &any); err != nil {
		t.Fatal(err)
	}
	sound(t, any)
}

// sound looks at every text in a JSON value.
func sound(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
			t.Errorf("text %q", v)
		}
	case []any:
		for _, e := range v {
			sound(t, e)
		}
	case map[string]any:
		for _, e := range v {
			sound(t, e)
		}
	}
}
