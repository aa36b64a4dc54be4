package shell

import (
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	n := Names{Labels: []string{"host", "service", "unknown-host"}, Types: []string{"depends_on", "runs", "runs_as"}, Properties: []string{"name", "netns", "port"}}
	for line, want := range map[string]string{ // | is the cursor; what is offered, the rest of the line around it
		"MAT|":                    "|MATCH|",
		"mat|":                    "|match|",
		"MATCH (h:H|":             "MATCH (h:|host|",
		"MATCH (h:|)":             "MATCH (h:|`unknown-host` host service|)",
		"MATCH (h:unk|":           "MATCH (h:|`unknown-host`|",
		"MATCH (h)-[:ru|]->()":    "MATCH (h)-[:|runs runs_as|]->()",
		"RETURN h.n|":             "RETURN h.|name netns|",
		"RETURN toUp|":            "RETURN |toUpper(|",
		"RETURN duration.b|":      "RETURN duration.|between(|",
		"RETURN Date.t|":          "RETURN Date.|transaction( truncate(|",
		"MATCH (h:host&!un|":      "MATCH (h:host&!|`unknown-host`|",
		":par|":                   "|:param :params|",
		"RETURN |":                "RETURN ||",
		"MATCH ()-[:a]->(b:serv|": "MATCH ()-[:a]->(b:|service|",
		"RETURN 'é' + substr|, 1": "RETURN 'é' + |substring(|, 1",
		"MATCH (n) WHERE n.p|= 1": "MATCH (n) WHERE n.|port|= 1",
	} {
		before, behind, _ := strings.Cut(line, "|")
		head, words, tail := n.Complete(before+behind, len([]rune(before)))
		if got := head + "|" + strings.Join(words, " ") + "|" + tail; got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
	if _, words, _ := n.Complete("MATCH ()-[:runs|dep", 19); !slices.Equal(words, []string{"depends_on"}) {
		t.Errorf("behind |: got %q", words)
	}
}

func TestWhole(t *testing.T) {
	for text, want := range map[string]bool{
		"MATCH (n) RETURN n":         true,
		"MATCH (n)":                  false,
		"MATCH (n":                   false,
		"RETURN 'open":               false,
		"RETURN 1 +":                 false,
		"RETRUN 1":                   true,
		"MATCH (n) SET n.x = 1":      true,
		"MATCH (n);":                 true,
		"MATCH (n)\n\n":              true,
		"MATCH (n)\nRETURN n.name  ": true,
		"RETURN m":                   true,
		"":                           true,
	} {
		if got := Whole(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// TestOneLine wants a line that asks the same.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"MATCH (n) // all  of them\nWHERE n.name = 'a  b'\n\tRETURN n;": "MATCH (n) WHERE n.name = 'a  b' RETURN n;",
		"RETURN 1 /* one\ntwo */ + 2":                                   "RETURN 1 + 2",
		"RETURN 'a\nb'":                                                 `RETURN 'a\nb'`,
		"RETURN 'open\n  line":                                          "RETURN 'open   line",
		":param x = 'a  b'":                                             ":param x = 'a  b'",
		"":                                                              "",
	} {
		if got := OneLine(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestHistoryPath(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string
	}{
		"state":    {map[string]string{"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/cassini/query_history"},
		"home":     {map[string]string{"HOME": "/h"}, "/h/.local/state/cassini/query_history"},
		"relative": {map[string]string{"XDG_STATE_HOME": "s", "HOME": "/h"}, "/h/.local/state/cassini/query_history"},
		"none":     {nil, ""},
	} {
		if got := HistoryPath(func(k string) string { return tc.env[k] }); got != tc.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func FuzzComplete(f *testing.F) {
	f.Add("MATCH (h:Ho", 11)
	f.Fuzz(func(t *testing.T, line string, position int) {
		n := Names{Labels: []string{"host", "unknown-host"}, Types: []string{"runs"}, Properties: []string{"é"}}
		n.Complete(line, max(0, position))
		Whole(line)
	})
}
