// Package record keeps what became of each kernel that was tried, and writes the
// tables of docs/kernels.md by it.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// Tried is one kernel, with the arguments that it was booted with.
type Tried struct {
	Kernel   string         `json:"kernel"` // debian.Kernel's Name: "6.12-rt"
	Arch     string         `json:"arch"`
	Booted   string         `json:"booted_with,omitempty"` // arguments beside those of every machine
	Package  string         `json:"package"`
	Version  string         `json:"version"` // of the package
	On       string         `json:"on"`      // a day: "2026-11-22"
	Binaries []string       `json:"binaries"`
	Tests    map[string]int `json:"tests"` // how many had which result
	Failed   []string       `json:"failed,omitempty"`
	Hooks    []Hook         `json:"hooks"`
}

// Hook is what serves a fact on a kernel.
type Hook struct {
	Fact  string `json:"fact"`
	Hook  string `json:"hook"`
	First bool   `json:"first"` // the first choice
}

func (t Tried) same(other Tried) bool {
	return t.Kernel == other.Kernel && t.Arch == other.Arch && t.Booted == other.Booted
}

// Record is every kernel that was tried, each once, in order.
type Record struct {
	Tried []Tried `json:"tried"`
}

// Read reads a record; where there is no such file it is empty.
func Read(path string) (Record, error) {
	var r Record
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("read what became of kernels: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("read what became of kernels from %s: %w", path, err)
	}
	return r, nil
}

// Put takes the place of what became of the same kernel before.
func (r *Record) Put(t Tried) {
	r.Tried = slices.DeleteFunc(r.Tried, t.same)
	r.Tried = append(r.Tried, t)
	slices.SortFunc(r.Tried, compare)
}

// Save writes the record to path, and its tables into the document at doc.
func (r Record) Save(path, doc string) error {
	text, err := os.ReadFile(doc)
	if err != nil {
		return fmt.Errorf("write the tables of kernels: %w", err)
	}
	written, err := r.Insert(string(text))
	if err != nil {
		return fmt.Errorf("write the tables of kernels into %s: %w", doc, err)
	}
	data, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return fmt.Errorf("write what became of kernels: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write what became of kernels: %w", err)
	}
	return os.WriteFile(doc, []byte(written), 0o644)
}

// What stands around the tables in a document.
const (
	begin = "<!-- kernels: written by kernel-tests/vm -->\n"
	end   = "<!-- end of kernels -->\n"
)

// Insert returns a document with these tables in the place of those it has.
func (r Record) Insert(doc string) (string, error) {
	before, rest, found := strings.Cut(doc, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("it lacks the lines %q and %q", begin, end)
	}
	return before + begin + r.Tables() + end + after, nil
}
