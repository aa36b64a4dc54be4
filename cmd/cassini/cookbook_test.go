package main

import (
	"os"
	"regexp"
	"testing"
)

// TestCookbookNamesCommands wants every command that docs/queries.md names to be one.
func TestCookbookNamesCommands(t *testing.T) {
	text, err := os.ReadFile("../../docs/queries.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("`cassini ([a-z]+)").FindAllStringSubmatch(string(text), -1)
	if len(found) < 10 {
		t.Errorf("only %d commands", len(found))
	}
	for _, match := range found {
		if got := cassini(t, nil, match[1], "--help"); got.code != 0 {
			t.Errorf("cassini %s: %s", match[1], got.stderr)
		}
	}
}
