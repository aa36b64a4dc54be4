package view

import (
	"encoding/json"
	"strings"
	"testing"

	"cassini/cmd/cassini/internal/output"
)

func TestRows(t *testing.T) {
	raw := `[["a", 1, {"id": "host:h", "labels": ["host"], "properties": {}}, null],
		["b\u001b[31m", 20, {"id": "h -runs-> s", "type": "runs", "start": "h", "end": "s", "properties": {}}, [1, {"k": "<"}]],
		["", null, {"nodes": [{"id": "x"}, {"id": "y"}], "relationships": [{}]}, [{"id": "n", "labels": [], "properties": {}}]],
		[true, 3.5, {"id": 7}, []]]`
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	var rows [][]any
	if err := decoder.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Rows([]string{"text", "n\x1b", "thing", "list"}, rows).Write(&b, output.Terminal{}); err != nil {
		t.Fatal(err)
	}
	want := `text      n\x1b  thing        list
a             1  host:h
b\x1b[31m     20  h -runs-> s  [1,{"k":"<"}]
                 x - y        [n]
true        3.5  {"id":7}     []
`
	if got := b.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") || strings.Contains(got, "\x1b") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(b.String(), "\n")[1:3] {
		if !strings.Contains(line, "host:h") && !strings.Contains(line, "20  h") {
			t.Errorf("numbers do not stand at the right: %q", line)
		}
	}
}
