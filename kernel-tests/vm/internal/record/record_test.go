package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tried(kernel, arch, booted, on string, hooks ...Hook) Tried {
	return Tried{Kernel: kernel, Arch: arch, Booted: booted, Package: "linux-image-" + kernel, Version: kernel + ".9-1", On: on,
		Binaries: []string{"capture"}, Tests: map[string]int{"pass": 3, "skip": 1}, Hooks: hooks}
}

func TestTables(t *testing.T) {
	connect := Hook{"connect", "tp_btf/x", true}
	var r Record
	r.Put(tried("6.12", "amd64", "", "2026-01-02", connect, Hook{"accept", "fexit/y", true}))
	r.Put(tried("6.1", "arm64", "", "2026-01-02", connect, Hook{"accept", "", false}))
	r.Put(tried("6.1-rt", "amd64", "", "2026-01-02", connect, Hook{"accept", "fexit/y", true}))
	r.Put(tried("6.12", "amd64", "preempt=full", "2026-01-02", connect, Hook{"accept", "iter/z", false}))
	r.Put(tried("6.12", "amd64", "", "2026-01-03", connect, Hook{"accept", "fexit/y", true}))
	failed := tried("5.10", "amd64", "", "2026-01-02", connect)
	failed.Failed = []string{"capture: TestX failed"}
	r.Put(failed)
	want := `
| kernel | Debian's package | tests of | passed | skipped | failed | on |
|---|---|---|---|---|---|---|
| 5.10 | linux-image-5.10 5.10.9-1 | capture | 3 | 1 | capture: TestX failed | 2026-01-02 |
| 6.1-rt | linux-image-6.1-rt 6.1-rt.9-1 | capture | 3 | 1 | 0 | 2026-01-02 |
| 6.12 | linux-image-6.12 6.12.9-1 | capture | 3 | 1 | 0 | 2026-01-03 |
| 6.12 ` + "`preempt=full`" + ` | linux-image-6.12 6.12.9-1 | capture | 3 | 1 | 0 | 2026-01-02 |
| 6.1 arm64 | linux-image-6.1 6.1.9-1 | capture | 3 | 1 | 0 | 2026-01-02 |

| fact | hook | on |
|---|---|---|
| connect | tp_btf/x | all |
| accept | fexit/y | 6.1-rt, 6.12 |
| accept | iter/z (not the first choice) | 6.12 ` + "`preempt=full`" + ` |
| accept | none | 6.1 arm64 |

`
	if got := r.Tables(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	path, doc := filepath.Join(dir, "kernels.json"), filepath.Join(dir, "kernels.md")
	write(t, doc, "above\n"+begin+"old\n"+end+"below\n")
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	r.Put(tried("6.12", "amd64", "", "2026-01-02"))
	if err := r.Save(path, doc); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, doc), "above\n"+begin+again.Tables()+end+"below\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestClearErrors(t *testing.T) {
	dir := t.TempDir()
	path, doc := filepath.Join(dir, "kernels.json"), filepath.Join(dir, "kernels.md")
	write(t, path, "{")
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged record: %v", err)
	}
	write(t, doc, "no tables\n")
	if err := (Record{}).Save(path, doc); err == nil || !strings.Contains(err.Error(), doc) {
		t.Errorf("a document without a place for tables: %v", err)
	}
	if got := read(t, path); got != "{" {
		t.Errorf("the record was written, its tables not: %s", got)
	}
}

// The tables of docs/kernels.md are those of the record that stands beside them.
func TestDocument(t *testing.T) {
	const docs = "../../../../docs/"
	r, err := Read(docs + "kernels.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tried) == 0 {
		t.Fatal("no kernel was tried")
	}
	doc := read(t, docs+"kernels.md")
	want, err := r.Insert(doc)
	if err != nil {
		t.Fatal(err)
	}
	if doc != want {
		t.Error("the tables of docs/kernels.md are not those of docs/kernels.json: run make test-kernels")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
