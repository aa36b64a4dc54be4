package exporter

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write golden files and docs/metrics.md")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run 'go generate ./exporter' or 'go test ./exporter -update' and look at the difference. Got:\n%s", path, got)
	}
}
