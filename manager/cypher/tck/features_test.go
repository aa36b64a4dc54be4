package tck

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gherkin "github.com/cucumber/gherkin/go/v26"
	messages "github.com/cucumber/messages/go/v21"
)

// folder finds the feature files: CASSINI_TCK, else shared/tck beside the
// repository or above it. Without any the test is left out, for a clone has none.
func folder(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("CASSINI_TCK"); dir != "" {
		if _, err := os.Stat(dir); err != nil {
			t.Fatalf("CASSINI_TCK: %v", err)
		}
		return dir
	}
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		dir := filepath.Join(at, "shared", "tck")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(at)
		if up == at {
			t.Skip("NOT TRIED: no openCypher TCK at ../shared/tck; point CASSINI_TCK at its features")
		}
		at = up
	}
}

// scenario is one example of one scenario.
type scenario struct {
	feature string // path of the file
	name    string // title, and #n for the n-th example
	steps   []*messages.PickleStep
}

func (s scenario) id() string { return s.feature + ": " + s.name }

// scenarios reads all feature files of a folder. Those that the kit itself leaves
// out are left out.
func scenarios(t *testing.T, dir string) (list []scenario) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".feature" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		id := 0
		next := func() string { id++; return strconv.Itoa(id) }
		doc, err := gherkin.ParseGherkinDocument(f, next)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		list = append(list, numbered(filepath.ToSlash(relative), gherkin.Pickles(*doc, path, next))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func numbered(file string, pickles []*messages.Pickle) (list []scenario) {
	seen := map[string]int{}
	outline := map[string]bool{}
	for _, p := range pickles {
		key := title(p.Name)
		outline[key] = outline[key] || len(p.AstNodeIds) > 1
	}
	for _, p := range pickles {
		ignored := false
		for _, tag := range p.Tags {
			ignored = ignored || tag.Name == "@ignore"
		}
		key := title(p.Name)
		seen[key]++
		if ignored {
			continue
		}
		name := key
		if outline[key] {
			name += " #" + strconv.Itoa(seen[key])
		}
		list = append(list, scenario{file, name, p.Steps})
	}
	return list
}

// title is a scenario's name without the name of the example in it.
func title(name string) string {
	name, _, _ = strings.Cut(name, " #Example")
	return strings.TrimSpace(name)
}
