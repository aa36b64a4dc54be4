package quick

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestListsAreOfTheirOwn decodes lists of many lengths, in the memory of those before.
func TestListsAreOfTheirOwn(t *testing.T) {
	var texts Texts
	for turn := range 3 {
		texts.Again()
		var got, want [][]string
		for i := range 100 {
			list := []string{}
			for j := range i * 7 % 23 {
				list = append(list, fmt.Sprint(turn, i, j))
			}
			body := `{"cmdline":[` + `"` + strings.Join(list, `","`) + `"` + `]}`
			if len(list) == 0 {
				body = `{"cmdline":[]}`
			}
			var d model.Dependency
			if !Dependency([]byte(body), &d, &texts) || d.Cmdline == nil {
				t.Fatalf("%s became %q", body, d.Cmdline)
			}
			got, want = append(got, append(d.Cmdline, "another")[:len(d.Cmdline)]), append(want, list)
		}
		for i := range got {
			if !slices.Equal(got[i], want[i]) {
				t.Fatalf("turn %d: %q, want %q", turn, got[i], want[i])
			}
		}
	}
	texts.lists = make([]string, mostInLists+1)
	if texts.Again(); texts.lists != nil {
		t.Error("much memory is kept")
	}
}
