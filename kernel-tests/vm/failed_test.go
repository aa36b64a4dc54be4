package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLogsOfFailuresAreKept(t *testing.T) {
	p := portsOf(filepath.Join(t.TempDir(), "6.1-amd64"))
	for _, name := range []string{p.console, p.output} {
		if err := os.WriteFile(name, []byte("said"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "failed")
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for i := range failuresKept + 3 {
		if err := p.keep(dir, at.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != failuresKept || entries[0].Name() != "20261120-120003.000" {
		t.Fatalf("%v, %v", entries, err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, entries[0].Name(), "6.1-amd64.console.log")); err != nil || string(got) != "said" {
		t.Errorf("%q, %v", got, err)
	}
	if err := p.clear(); err != nil {
		t.Fatal(err)
	}
	if err := p.keep(dir, at); err == nil {
		t.Error("logs that are not there were kept")
	}
}
