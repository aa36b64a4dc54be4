package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// JSON writes v indented, as one document. Characters that a terminal could
// take for commands are written as \u escapes, which changes no value.
func JSON(w io.Writer, v any) error { return encode(w, v, "  ") }

// JSONLine writes v on one line.
func JSONLine(w io.Writer, v any) error { return encode(w, v, "") }

// JSONArray writes the items indented, as an array also when there are none.
func JSONArray[T any](w io.Writer, items []T) error {
	if items == nil {
		items = []T{}
	}
	return JSON(w, items)
}

func encode(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	_, err := w.Write(escapeInvisible(b.Bytes()))
	return err
}

// escapeInvisible escapes what Clean would, within a JSON text: such characters
// stand nowhere but in its strings.
func escapeInvisible(text []byte) []byte {
	if !bytes.ContainsFunc(text, hidden) {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

func hidden(r rune) bool { return r != '\n' && r != '\uFFFD' && dangerous(r) }
