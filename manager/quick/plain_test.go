package quick

import (
	"strings"
	"testing"
)

// TestPlainText puts each byte in each place of texts of several lengths.
func TestPlainText(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("a", length))
				text[at] = byte(c)
				want := c >= ' ' && c <= '~' && c != '"' && c != '\\'
				if got := plainText(string(text)); got != want {
					t.Fatalf("%q: %v", text, got)
				}
			}
		}
	}
	if !plainText("") || !plainText(" ~!#[]^_az09 ~!#[]^_az09") {
		t.Error("plain texts are not")
	}
}
